/** One contract for all stores: what an index may rely on, in a folder and behind the S3 protocol. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Store } from "../../src/corpus/store.ts";
import { storeAt } from "../../src/corpus/store-at.ts";
import { startTestStore, type TestStore } from "../support/s3-server.ts";

const bytes = (text: string) => [Buffer.from(text)];
const text = async (store: Store, name: string) => (await store.read(name)).toString();

let server: TestStore;
let folder: string;
beforeAll(async () => {
  server = await startTestStore();
  folder = await mkdtemp(join(tmpdir(), "clip-interpret-store-"));
});
beforeEach(() => {
  for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value);
  vi.stubEnv("CLIP_INTERPRET_CACHE", join(folder, "cache"));
});
afterEach(() => {
  server.fault = undefined;
  server.listing = undefined;
  server.pageSize = undefined;
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

let count = 0;
describe.each([
  ["a folder", () => join(folder, `store-${++count}`)],
  ["a bucket", () => `${server.address}/in/store-${++count}`],
] as const)("%s", (_, place) => {
  let store: Store;
  beforeEach(() => {
    store = storeAt(place());
  });

  it("gives back what was written, whole and in ranges", async () => {
    await store.put("shards/0/a.npy", [Buffer.from("hello "), Buffer.from("world")]);
    expect(await text(store, "shards/0/a.npy")).toBe("hello world");
    expect((await store.readRange("shards/0/a.npy", 6, 3)).toString()).toBe("wor");
    expect(await store.readRange("shards/0/a.npy", 4, 0)).toHaveLength(0);
    expect(await store.size("shards/0/a.npy")).toBe(11);
    await store.put("shards/0/a.npy", bytes(""));
    expect(await store.size("shards/0/a.npy")).toBe(0);
    expect(await store.read("shards/0/a.npy")).toHaveLength(0);
  });

  it("says what is not there, or not that long", async () => {
    await store.put("a", bytes("four"));
    expect(await store.size("b")).toBeUndefined();
    expect(await store.version("b")).toBeUndefined();
    await expect(store.read("b")).rejects.toMatchObject({ code: "INPUT_NOT_FOUND" });
    await expect(store.readRange("b", 0, 1)).rejects.toMatchObject({ code: "INPUT_NOT_FOUND" });
    await expect(store.readRange("a", 2, 5)).rejects.toMatchObject({ code: "INPUT_UNREADABLE" });
    await expect(store.readRange("a", 9, 5)).rejects.toMatchObject({ code: "INPUT_UNREADABLE" });
  });

  it("takes bodies larger than one request", async () => {
    const large = Buffer.alloc((16 << 20) + 5, 7);
    large.writeUInt32LE(42, (16 << 20) - 2);
    await store.put("large", [large.subarray(0, 1000), large.subarray(1000)]);
    expect(await store.size("large")).toBe(large.length);
    expect((await store.readRange("large", 0, large.length)).equals(large)).toBe(true);
    expect((await store.readRange("large", (16 << 20) - 2, 4)).readUInt32LE(0)).toBe(42);
  });

  it("lists names in a folder, and removes files and folders", async () => {
    await store.putFolder(
      "shards/000000",
      new Map([
        ["a", bytes("1")],
        ["b", bytes("2")],
      ]),
    );
    await store.put("shards/000000-more", bytes("3"));
    await store.put("manifest.json", bytes("{}"));
    expect((await store.list("shards")).sort()).toEqual(["000000", "000000-more"]);
    expect((await store.list(".")).sort()).toEqual(["manifest.json", "shards"]);
    expect(await store.list("elsewhere")).toEqual([]);
    await store.remove("shards/000000");
    await store.remove("nothing");
    expect(await store.list("shards")).toEqual(["000000-more"]);
    expect(await store.within("shards").list(".")).toEqual(["000000-more"]);
    expect(await text(store.within("shards"), "000000-more")).toBe("3");
  });

  it("has a version of a file that changes with it", async () => {
    await store.put("a", bytes("1"));
    const first = await store.version("a");
    expect(await store.version("a")).toBe(first);
    await store.put("a", bytes("2"));
    expect(await store.version("a")).not.toBe(first);
  });

  it("gives a name to one of many that claim it at once", async () => {
    const claims = await Promise.all(Array.from({ length: 8 }, (_, i) => store.claim("c", bytes(`${i}`))));
    expect(claims.filter((won) => won)).toHaveLength(1);
    expect(await text(store, "c")).toBe(`${claims.indexOf(true)}`);
    expect(await store.claim("c", bytes("late"))).toBe(false);
    expect((await store.list(".")).filter((name) => name !== "c")).toEqual([]);
  });

  it("does work that adds to a file as if nothing else ran", async () => {
    const add = (letter: string) =>
      storeAt(store.where).exclusive(async (own) => {
        const before = (await own.size("list")) === undefined ? "" : await text(own, "list");
        await own.put("list", bytes(before + letter));
      }, {});
    await Promise.all([..."abcd"].map(add));
    expect([...(await text(store, "list"))].sort().join("")).toBe("abcd");
  });
});

describe("a bucket that several machines write to", () => {
  // Another machine, which no lock of this one holds back.
  const elsewhere = (name: string) => storeAt(`${server.address}/${name}`);

  it("lets the first commit win, and begins the other's work again with what is there", async () => {
    const store = storeAt(`${server.address}/first-wins`);
    await store.put("list", bytes("a"));
    let begun = 0;
    await store.exclusive(async (own) => {
      const before = await text(own, "list");
      if (++begun === 1) await elsewhere("first-wins").put("list", bytes(`${before}b`));
      await own.put("list", bytes(`${before}c`));
    }, {});
    expect(begun).toBe(2);
    expect(await text(store, "list")).toBe("abc");
  });

  it("does not overwrite what it saw no trace of", async () => {
    const store = storeAt(`${server.address}/no-trace`);
    await store.exclusive(async (own) => {
      const before = (await own.size("list")) === undefined ? "" : await text(own, "list");
      if (before === "") await elsewhere("no-trace").put("list", bytes("a"));
      await own.put("list", bytes(`${before}b`));
    }, {});
    expect(await text(store, "list")).toBe("ab");
  });

  it("gives up with INDEX_CHANGED where others are faster every time", async () => {
    const store = storeAt(`${server.address}/too-slow`);
    let other = 0;
    const work = store.exclusive(async (own) => {
      if ((await own.size("list")) !== undefined) await own.read("list");
      await elsewhere("too-slow").put("list", bytes(`${++other}`));
      await own.put("list", bytes("mine"));
    }, {});
    await expect(work).rejects.toMatchObject({ code: "INDEX_CHANGED" });
    expect(await text(store, "list")).toBe("5");
  });

  it("takes an answer that was lost for what it was: the claim and the commit are its own", async () => {
    const store = storeAt(`${server.address}/lost-answers`);
    let lost = 0;
    server.fault = ({ method }) => (method === "PUT" && lost++ % 2 === 0 ? "late" : undefined);
    expect(await store.claim("c", bytes("mine"))).toBe(true);
    await store.exclusive(async (own) => {
      expect(await text(own, "c")).toBe("mine");
      await own.put("c", bytes("more"));
    }, {});
    expect(await text(store, "c")).toBe("more");
    expect(lost).toBeGreaterThanOrEqual(4);
  });

  it("leaves what another run may be about to list", async () => {
    const store = storeAt(`${server.address}/leftovers`);
    await store.put("shards/000000/a", bytes("1"));
    expect(await store.abandoned("shards")).toEqual([]);
    await store.put("shards/000001/a", bytes("1"));
    const yesterday = new Date(Date.now() - 25 * 3600e3).toISOString();
    server.listing = async (_, fresh) => {
      const page = (await fresh()).toString();
      const old = page.replace(/(000000\/a<\/Key><LastModified>)[^<]+/, `$1${yesterday}`);
      return Buffer.from(old);
    };
    expect(await store.abandoned("shards")).toEqual(["000000"]);
  });
});

describe("a bucket that goes wrong", () => {
  it("lists more names than fit one page", async () => {
    const store = storeAt(`${server.address}/pages`);
    const names = Array.from({ length: 7 }, (_, i) => `n${i}`);
    for (const name of names) await store.put(name, bytes("1"));
    const seen = server.asked.length;
    server.pageSize = 3;
    expect((await store.list(".")).sort()).toEqual(names);
    server.pageSize = undefined;
    expect(
      server.asked.slice(seen).filter(({ query }) => query.has("continuation-token")).length,
    ).toBeGreaterThan(1);
  });

  it("is asked again: one request in five fails, a body ends early, connections drop", async () => {
    const store = storeAt(`${server.address}/faults`);
    const kinds = ["refuse", "cut", "truncate", "late"] as const;
    let n = 0;
    server.fault = () => (++n % 5 === 0 ? kinds[(n / 5) % kinds.length] : undefined);
    for (let i = 0; i < 10; i++) await store.put(`f${i}`, bytes(`content ${i}`));
    for (let i = 0; i < 10; i++) expect(await text(store, `f${i}`)).toBe(`content ${i}`);
    expect(await store.list(".")).toHaveLength(10);
    expect(n).toBeGreaterThan(23);
  });

  it("is given up in a coded error where it never answers, or answers nonsense", async () => {
    vi.stubEnv("AWS_MAX_ATTEMPTS", "2");
    vi.stubEnv("CLIP_INTERPRET_STORE_TIMEOUT", "0.2");
    const store = storeAt(`${server.address}/silent`);
    await store.put("a", bytes("content"));
    for (const fault of ["hang", "refuse", "cut", "truncate"] as const) {
      server.fault = () => fault;
      await expect(store.read("a"), fault).rejects.toMatchObject({ code: "STORE_UNREACHABLE" });
    }
    server.fault = () => "hang";
    await expect(store.put("a", bytes("b"))).rejects.toMatchObject({ code: "STORE_UNREACHABLE" });
    await expect(store.size("a")).rejects.toMatchObject({ code: "STORE_UNREACHABLE" });
    await expect(store.list(".")).rejects.toMatchObject({ code: "STORE_UNREACHABLE" });
  });

  it("says what it refuses", async () => {
    await expect(storeAt("s3://no-such-bucket/a").read("x")).rejects.toMatchObject({
      code: "STORE_UNREACHABLE",
      message: expect.stringContaining("no such bucket"),
    });
    vi.stubEnv("AWS_ACCESS_KEY_ID", "nobody");
    await expect(storeAt(server.address).read("x")).rejects.toMatchObject({ code: "STORE_DENIED" });
    vi.stubEnv("AWS_ACCESS_KEY_ID", "");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "");
    vi.stubEnv("HOME", folder);
    vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(folder, "none"));
    await expect(storeAt(server.address).read("x")).rejects.toMatchObject({ code: "STORE_DENIED" });
    for (const address of ["s3://", "s3:///x", "s3://bucket/../x", "s3://UPPER_/~/x y/../"])
      expect(() => storeAt(address), address).toThrow(expect.objectContaining({ code: "USAGE" }));
  });
});

describe("a folder whose lock was taken over while its owner slept", () => {
  it("keeps what the other wrote", async () => {
    const store = storeAt(join(folder, "asleep"));
    await store.put("list", bytes("a"));
    const asleep = store.exclusive(async (own) => {
      const before = await text(own, "list");
      await storeAt(store.where).put("list", bytes(`${before}b`));
      await own.put("list", bytes(`${before}c`));
    }, {});
    await expect(asleep).rejects.toMatchObject({ code: "INDEX_CHANGED" });
    expect(await text(store, "list")).toBe("ab");
  });
});
