/** Images as data sets are published: in archives and tables, by addresses, in a folder and in a store. */
import { execFileSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { buildIndex } from "../../src/corpus/build.ts";
import { checkIndex, readIndex } from "../../src/corpus/open-index.ts";
import { readPicture } from "../../src/corpus/picture.ts";
import { scanSource } from "../../src/corpus/source.ts";
import { storeAt } from "../../src/corpus/store-at.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { locateModel } from "../../src/model/registry.ts";
import { isPublicAddress } from "../../src/support/public-fetch.ts";
import { startTestStore, type TestStore } from "../support/s3-server.ts";

const SCENES = fileURLToPath(new URL("../../examples/scenes/images", import.meta.url));
const NAMES = readdirSync(SCENES).slice(0, 6);
const picture = (i: number) => readFileSync(join(SCENES, NAMES[i]));

let scratch: string;
let server: TestStore;
let web: Server;
let model: ClipModel;
const path = (...names: string[]) => join(scratch, ...names);
/** What an index holds of pictures: their embeddings, by checksum. */
async function embeddings(index: string) {
  const opened = await readIndex(index);
  const all = await opened.embeddings();
  const width = all.length / opened.images.length;
  return Object.fromEntries(
    opened.images.map(({ sha256 }, i) => [sha256, all.slice(i * width, (i + 1) * width)]),
  );
}
let plain: Awaited<ReturnType<typeof embeddings>>;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "packed-sources-"));
  server = await startTestStore();
  web = createServer((request, response) => {
    const i = Number(/^\/(\d)\.png$/.exec(request.url!)?.[1]);
    if (Number.isNaN(i)) response.writeHead(404).end();
    else response.end(picture(i));
  });
  await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
  // Two archives as webdataset has them: a picture, a class, a caption and what img2dataset knows.
  for (const [shard, members] of [
    ["00000", [0, 1, 2]],
    ["00001", [3, 4, 5]],
  ] as const) {
    mkdirSync(path("samples", shard), { recursive: true });
    for (const i of members) {
      const key = path("samples", shard, `00000000${i}`);
      cpSync(join(SCENES, NAMES[i]), `${key}.png`);
      writeFileSync(
        `${key}.json`,
        i === 4 ? "{ broken" : JSON.stringify({ caption: `a scene ${i}`, key: `${i}` }),
      );
      if (i % 2 === 0) writeFileSync(`${key}.cls`, `${i % 3}\n`);
    }
    const long = `${"long/".repeat(30)}notes.log`;
    if (shard === "00001") {
      mkdirSync(path("samples", shard, "long/".repeat(30)), { recursive: true });
      writeFileSync(path("samples", shard, long), "nothing");
    }
    mkdirSync(path("shards"), { recursive: true });
    const names = readdirSync(path("samples", shard)).sort();
    execFileSync("tar", ["-cf", path("shards", `${shard}.tar`), "-C", path("samples", shard), ...names]);
  }
  model = await loadClipModel((await locateModel(DEFAULT_MODEL)).folder, DEFAULT_MODEL);
  for (const [i, name] of NAMES.entries()) {
    mkdirSync(path("plain"), { recursive: true });
    cpSync(join(SCENES, name), path("plain", `${i}.png`));
  }
  await buildIndex(model, path("plain"), path("plain.index"));
  plain = await embeddings(path("plain.index"));
});
beforeEach(() => {
  for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value);
  vi.stubEnv("CLIP_INTERPRET_CACHE", path("cache"));
});
afterAll(async () => {
  await model.release();
  await server.close();
  web.close();
  rmSync(scratch, { recursive: true });
});

const upload = async (from: string, to: string) => {
  for (const name of readdirSync(from))
    await storeAt(server.address).put(`${to}/${name}`, [readFileSync(join(from, name))]);
};

describe("archives", () => {
  it("are indexed as the pictures in them would be, with their classes and captions", async () => {
    const warnings: string[] = [];
    const report = (event: { type: string; message?: string }) => {
      if (event.type === "warning") warnings.push(event.message!);
    };
    const source = await scanSource(path("shards", "{00000..00001}.tar"), { report });
    expect(source.images.map(({ label, factors }) => [label, factors.caption])).toEqual([
      ["0", "a scene 0"],
      [null, "a scene 1"],
      ["2", "a scene 2"],
      [null, "a scene 3"],
      ["1", undefined],
      [null, "a scene 5"],
    ]);
    expect(warnings).toEqual([expect.stringContaining("1 .json files")]);
    expect(source.passed?.others).toEqual({ ".log": 1 });
    await buildIndex(model, source, path("shards.index"));
    expect(await embeddings(path("shards.index"))).toEqual(plain);
    expect(await checkIndex(path("shards.index"))).toMatchObject({ changed: [], missing: [], corrupt: [] });
    const again = await buildIndex(model, path("shards"), path("shards.index"));
    expect(again).toMatchObject({ added: 0, changed: [], removed: [] });
  });

  it("that are cut off or damaged give what comes before, and a row that says why", async () => {
    mkdirSync(path("cut"));
    cpSync(path("shards", "00000.tar"), path("cut", "00000.tar"));
    const [, , last] = (await scanSource(path("shards", "00000.tar"))).images;
    truncateSync(path("cut", "00000.tar"), Number(/#(\d+)\+/.exec(last.path)![1]) + 100);
    const noise = readFileSync(path("shards", "00001.tar"));
    const [, second] = (await scanSource(path("shards", "00001.tar"))).images;
    const { offset, length } = { offset: Number(/#(\d+)/.exec(second.path)![1]), length: second.bytes };
    noise.fill(7, offset, offset + length);
    writeFileSync(path("cut", "00001.tar"), noise);
    writeFileSync(path("cut", "00002.tar"), "no archive at all".repeat(100));
    writeFileSync(path("cut", "00003.tar.gz"), "packed");
    const built = await buildIndex(model, path("cut"), path("cut.index"));
    const { images, rejected } = await readIndex(path("cut.index"));
    expect(images).toHaveLength(4);
    expect(rejected.map(({ path, code }) => [path.replace(/#.*/, "#"), code]).sort()).toEqual([
      ["00000.tar", "ARCHIVE_DAMAGED"],
      ["00001.tar#", "IMAGE_UNREADABLE"],
      ["00002.tar", "ARCHIVE_DAMAGED"],
      ["00003.tar.gz", "ARCHIVE_DAMAGED"],
    ]);
    expect(built.rejected).toBe(4);
    expect(await buildIndex(model, path("cut"), path("cut.index"))).toMatchObject({ added: 0 });
  });

  it("in a store give the same, and their pictures are read again in parts", async () => {
    await upload(path("shards"), "laion");
    const index = `${server.address}/laion.index`;
    await buildIndex(model, `${server.address}/laion/{00000..00001}.tar`, index);
    expect(await embeddings(index)).toEqual(plain);
    const { manifest, images } = await readIndex(index);
    expect(manifest.root).toBe(`${server.address}/laion`);
    expect((await readPicture(manifest.root, images[4].path)).equals(picture(4))).toBe(true);
    expect(await checkIndex(index)).toMatchObject({ changed: [], missing: [], corrupt: [] });
  });
});

describe("tables", () => {
  const address = (name: string) => `http://127.0.0.1:${(web.address() as AddressInfo).port}/${name}`;
  const table = (columns: Parameters<typeof parquetWriteBuffer>[0]["columnData"]) =>
    Buffer.from(parquetWriteBuffer({ columnData: columns, rowGroupSize: 2 }));
  const column = (name: string, type: "STRING" | "BYTE_ARRAY" | "INT32", data: unknown[]) => ({
    ...{ name, data, type, nullable: true },
  });
  const keys = column("key", "STRING", ["a", "b", "c"]);
  const captions = column("caption", "STRING", ["one", "two", null]);

  it("with bytes of pictures are indexed as the pictures would be", async () => {
    mkdirSync(path("tables"));
    const data = [picture(0), picture(1), new Uint8Array([1, 2, 3])];
    const jpg = column("jpg", "BYTE_ARRAY", data);
    writeFileSync(path("tables", "00000.parquet"), table([keys, captions, jpg]));
    await buildIndex(model, path("tables"), path("tables.index"));
    const { images, rejected } = await readIndex(path("tables.index"));
    expect(images.map(({ path, factors }) => [path, factors.caption])).toEqual([
      ["00000.parquet#0/a", "one"],
      ["00000.parquet#1/b", "two"],
    ]);
    expect(rejected.map(({ path, code }) => [path, code])).toEqual([
      ["00000.parquet#2/c", "IMAGE_UNREADABLE"],
    ]);
    for (const [sha256, numbers] of Object.entries(await embeddings(path("tables.index"))))
      expect(numbers).toEqual(plain[sha256]);
    expect(await buildIndex(model, path("tables"), path("tables.index"))).toMatchObject({
      added: 0,
      changed: [],
    });
    expect(await checkIndex(path("tables.index"))).toMatchObject({ changed: [], missing: [] });
  });

  it("with addresses are fetched, one by one, and not from this network unless that is wanted", async () => {
    mkdirSync(path("urls"));
    const data = [address("0.png"), address("gone.png"), "file:///etc/passwd"];
    const urls = column("url", "STRING", data);
    writeFileSync(path("urls", "list.parquet"), table([keys, urls]));
    await buildIndex(model, path("urls"), path("refused.index"));
    expect((await readIndex(path("refused.index"))).rejected.map(({ code }) => code)).toEqual(
      Array.from(data, () => "URL_REFUSED"),
    );
    vi.stubEnv("CLIP_INTERPRET_PRIVATE_URLS", "1");
    await buildIndex(model, path("urls"), path("urls.index"));
    const { images, rejected } = await readIndex(path("urls.index"));
    expect(images.map(({ path }) => path)).toEqual(["list.parquet#0/a"]);
    expect(rejected.map(({ code }) => code)).toEqual(["IMAGE_UNREADABLE", "URL_REFUSED"]);
  });

  it("beside an archive of the same name are about its images, and others are no pictures", async () => {
    mkdirSync(path("beside"));
    cpSync(path("shards", "00000.tar"), path("beside", "00000.tar"));
    const urls = column("url", "STRING", ["http://a/", "http://b/", "http://c/"]);
    writeFileSync(path("beside", "00000.parquet"), table([keys, urls]));
    writeFileSync(path("beside", "numbers.parquet"), table([column("x", "INT32", [1, 2, 3])]));
    const source = await scanSource(path("beside"));
    expect(source.images).toHaveLength(3);
    expect(source.passed?.others).toEqual({ ".parquet": 2 });
  });

  it("tell public addresses from others", () => {
    for (const address of ["8.8.8.8", "2606:4700::1111", "172.32.0.1"])
      expect(isPublicAddress(address), address).toBe(true);
    for (const address of [
      "127.0.0.1",
      "10.1.2.3",
      "169.254.169.254",
      "172.16.0.1",
      "192.168.1.1",
      "::1",
      "fd00::1",
    ])
      expect(isPublicAddress(address), address).toBe(false);
    for (const address of [
      "::ffff:127.0.0.1",
      "::ffff:7f00:1",
      "64:ff9b::7f00:1",
      "0.0.0.0",
      "fe80::1",
      "nonsense",
    ])
      expect(isPublicAddress(address), address).toBe(false);
  });
});

describe("a store with pictures", () => {
  it("is indexed by its address, by patterns, and by lists of addresses", async () => {
    await upload(path("plain"), "photos");
    await storeAt(server.address).put("photos/sub/notes.md", [Buffer.from("text")]);
    const all = await scanSource(`${server.address}/photos`);
    expect(all.images.map(({ path }) => path)).toEqual(NAMES.map((_, i) => `${i}.png`));
    expect(all.passed?.others).toEqual({ ".md": 1 });
    const some = await scanSource(`${server.address}/photos/[0-2].png`);
    expect(some.images).toHaveLength(3);
    writeFileSync(path("list.txt"), NAMES.map((_, i) => `${server.address}/photos/${i}.png\n`).join(""));
    await buildIndex(model, path("list.txt"), path("list.index"));
    expect(await embeddings(path("list.index"))).toEqual(plain);
    expect(await buildIndex(model, path("list.txt"), path("list.index"))).toMatchObject({
      added: 0,
      changed: [],
    });
    const csv = `path,label\n${server.address}/photos/0.png,a\n${server.address}/photos/gone.png,b\n`;
    await storeAt(server.address).put("photos/list.csv", [Buffer.from(csv)]);
    const gone = await buildIndex(model, `${server.address}/photos/list.csv`, path("gone.index"));
    expect(gone).toMatchObject({
      images: 1,
      rejected: 0,
      unread: [{ path: "gone.png", code: "INPUT_NOT_FOUND" }],
    });
    await expect(scanSource([`${server.address}/photos`, path("plain")])).rejects.toMatchObject({
      code: "USAGE",
    });
    await expect(scanSource(`${server.address}/nothing`)).rejects.toMatchObject({ code: "NO_IMAGES" });
  });
});
