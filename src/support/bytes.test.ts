import { createHash } from "node:crypto";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { DATA, describeBytes } from "../../test/support/bytes-contract.ts";
import { type Asked, startStaticServer } from "../../test/support/static-server.ts";
import { findWebModel } from "../hub/web-place.ts";
import { disk } from "./disk-bytes.ts";
import { keptBytes } from "./kept-bytes.ts";
import { memoryFolder } from "./private-files.ts";
import { webBytes } from "./web-bytes.ts";
import { webParts } from "./web-parts.ts";

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

describeBytes("a disk", async () => ({ bytes: disk, at: folder }));
describe("large files of a disk", () => {
  it("are hashed in another thread, while the calling one is free", async () => {
    const size = 300 * 2 ** 20;
    const other = await mkdtemp(join(tmpdir(), "bytes-"));
    onTestFinished(() => rm(other, { recursive: true, force: true }));
    const file = join(other, "large.bin");
    await writeFile(file, DATA);
    await truncate(file, size);
    const wanted = createHash("sha256").update(DATA);
    const zeros = new Uint8Array(2 ** 20);
    for (let left = size - DATA.length; left > 0; left -= zeros.length)
      wanted.update(zeros.subarray(0, Math.min(left, zeros.length)));
    const before = performance.eventLoopUtilization();
    expect(await disk.hash([file])).toBe(wanted.digest("hex"));
    expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.5);
    await expect(disk.hash([file, join(other, "none.bin")])).rejects.toMatchObject({
      code: "INPUT_NOT_FOUND",
    });
  });
});
describeBytes("a web server", async () => ({ bytes: webBytes(), at: (await served()).url }));
describeBytes("a web server without ranges", async () => ({
  bytes: webBytes(),
  at: (await served(false)).url,
}));
// In real private files: web/test/kept-bytes.test.ts.
describeBytes("a web server, kept", async () => {
  const at = (await served()).url;
  return { bytes: keptFrom(at), at };
});

/** Files of a server as a page keeps them, in memory. */
function keptFrom(at: string, folder = memoryFolder()) {
  const parts = webParts();
  const place = findWebModel(at, "https://hub.invalid", at);
  return keptBytes({ folder, parts, list: (of) => place.list(parts, of) });
}

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
    // The header, what follows it with the parts near it and what lies between, and the one far off, at once.
    expect(asked.map(({ range }) => range).sort()).toEqual([
      ...["bytes=0-65535", "bytes=250000-259999", "bytes=65536-129999"],
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
    await expect(gone.read("http://x/a")).rejects.toMatchObject({ code: "SERVER_UNREACHABLE" });
  });
});
