import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type Asked, startStaticServer } from "../../test/support/static-server.ts";
import type { Bytes } from "./bytes.ts";
import { disk } from "./disk-bytes.ts";
import { webBytes } from "./web-bytes.ts";

/** Larger than what is asked for first of a file, twice over. */
const DATA = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7 + (i >> 8)) % 256);
const sha256 = (...parts: readonly Uint8Array[]) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bytes-"));
  await writeFile(join(folder, "model.safetensors"), DATA);
  await writeFile(join(folder, "config.json"), "{}");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Serves the folder; the server is closed at the test's end. */
async function served(ranges = true): Promise<{ url: string; asked: Asked[] }> {
  const server = await startStaticServer({ "": folder }, { ranges });
  onTestFinished(() => server.close());
  return server;
}

const PLACES: readonly (readonly [string, () => Promise<{ bytes: Bytes; at: string }>])[] = [
  ["a disk", async () => ({ bytes: disk, at: folder })],
  ["a web server", async () => ({ bytes: webBytes(), at: (await served()).url })],
  ["a web server without ranges", async () => ({ bytes: webBytes(), at: (await served(false)).url })],
];

describe.each(PLACES)("files of %s", (_, open) => {
  it("are listed, read whole, in parts and hashed", async () => {
    const { bytes, at } = await open();
    expect([...(await bytes.names(at))].sort()).toEqual(["config.json", "model.safetensors"]);
    expect(Buffer.from(await bytes.read(`${at}/config.json`)).toString()).toBe("{}");
    const file = `${at}/model.safetensors`;
    const parts = await bytes.open(file, async ({ size, read }) => [
      size,
      ...[await read(10, 5), await read(200_000, 3), await read(299_999, 1), await read(0, 0)],
    ]);
    const wanted = [DATA.slice(10, 15), DATA.slice(200_000, 200_003), DATA.slice(299_999), new Uint8Array()];
    expect(parts).toEqual([DATA.length, ...wanted]);
    expect(await bytes.hash([file])).toBe(sha256(DATA));
    expect(await bytes.hash([`${at}/config.json`, file])).toBe(sha256(Buffer.from("{}"), DATA));
    expect(await bytes.identify(file)).toBe(await bytes.identify(file));
  });

  it("that are not there have a coded error", async () => {
    const { bytes, at } = await open();
    const missing = { code: "INPUT_NOT_FOUND", message: expect.stringContaining("none.bin") };
    await expect(bytes.read(`${at}/none.bin`)).rejects.toMatchObject(missing);
    await expect(bytes.open(`${at}/none.bin`, async () => 0)).rejects.toMatchObject(missing);
    await expect(bytes.identify(`${at}/none.bin`)).rejects.toMatchObject(missing);
    await expect(bytes.names(`${at}/none`)).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
  });
});

describe("a web server's files", () => {
  it("come in few requests, each byte once", async () => {
    const { url, asked } = await served();
    let heard = 0;
    const bytes = webBytes({ onFetched: (fetched) => (heard += fetched.bytes) });
    const file = `${url}/model.safetensors`;
    const data = await bytes.fill(file, [
      ...([
        [250_000, 260_000],
        [100_000, 110_000],
        [120_000, 130_000],
        [60_000, 70_000],
      ] as const),
    ]);
    for (const [from, to] of [
      [0, 70_000],
      [100_000, 130_000],
      [250_000, 260_000],
    ] as const)
      expect(Buffer.compare(data.subarray(from, to), DATA.subarray(from, to))).toBe(0);
    // The header, what follows it, the two parts near each other with what lies between, and the one far off.
    expect(asked.map(({ range }) => range)).toEqual([
      ...["bytes=0-65535", "bytes=65536-129999", "bytes=250000-259999"],
    ]);
    await bytes.fill(file, [[65_000, 129_000]]);
    expect(asked).toHaveLength(3);
    expect(heard).toBe(130_000 + 10_000);
    await bytes.hash([file]);
    expect(asked.reduce((sum, one) => sum + one.bytes, 0)).toBe(DATA.length);
  });

  it("are not asked for what is known of them", async () => {
    const { url, asked } = await served();
    const known = "0".repeat(64);
    const bytes = webBytes({ names: ["a.json"], hashes: { "model.safetensors": known } });
    expect([...(await bytes.names(url))]).toEqual(["a.json"]);
    expect(await bytes.hash([`${url}/model.safetensors`])).toBe(known);
    expect(asked).toEqual([]);
  });

  it("are not mixed of two versions", async () => {
    const other = await mkdtemp(join(tmpdir(), "bytes-"));
    onTestFinished(() => rm(other, { recursive: true, force: true }));
    await writeFile(join(other, "model.safetensors"), DATA);
    const server = await startStaticServer({ "": other });
    onTestFinished(() => server.close());
    const bytes = webBytes();
    const file = `${server.url}/model.safetensors`;
    await bytes.fill(file, [[0, 10]]);
    await writeFile(join(other, "model.safetensors"), DATA.slice().reverse());
    await expect(bytes.fill(file, [[200_000, 200_010]])).rejects.toMatchObject({
      code: "CHECKPOINT_CHANGED",
    });
  });

  it("that a server has and does not give are unreadable", async () => {
    const fetch = async () => new Response("", { status: 503 });
    const bytes = webBytes({ fetch });
    const refused = { code: "INPUT_UNREADABLE", message: expect.stringContaining("503") };
    await expect(bytes.read("http://x/a")).rejects.toMatchObject(refused);
    let calls = 0;
    const once = webBytes({
      fetch: async () => {
        if (calls++ === 0) throw new TypeError("connection reset");
        return new Response("{}");
      },
    });
    expect(await once.read("http://x/a")).toHaveLength(2);
    const gone = webBytes({ fetch: () => Promise.reject(new TypeError("Failed to fetch")) });
    await expect(gone.read("http://x/a")).rejects.toMatchObject({ code: "INPUT_UNREADABLE" });
  });
});
