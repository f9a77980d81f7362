/** What docs/stores.md says, line by line, against a server. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parquetWriteBuffer } from "hyparquet-writer";
import { expect, it, vi } from "vitest";
import { readIndex } from "../../src/corpus/open-index.ts";
import { storeAt } from "../../src/corpus/store-at.ts";
import { runHere } from "../support/run-cli.ts";
import { startTestStore } from "../support/s3-server.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
const PAGE = fileURLToPath(new URL("../../docs/stores.md", import.meta.url));

it("shows lines that do what it says", async () => {
  const scratch = mkdtempSync(join(tmpdir(), "stores-docs-"));
  const server = await startTestStore();
  try {
    for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value);
    vi.stubEnv("CLIP_INTERPRET_CACHE", join(scratch, "cache"));
    const scenes = join(EXAMPLES, "scenes/images");
    const names = readdirSync(scenes).slice(0, 4);
    for (const name of names)
      await storeAt(server.address).put(`photos/${name}`, [readFileSync(join(scenes, name))]);
    mkdirSync(join(scratch, "shards"));
    for (const [i, shard] of ["00000", "00001"].entries()) {
      mkdirSync(join(scratch, shard));
      for (const name of names.slice(2 * i, 2 * i + 2))
        cpSync(join(scenes, name), join(scratch, shard, name));
      const archive = join(scratch, "shards", `${shard}.tar`);
      execFileSync("tar", ["-cf", archive, "-C", join(scratch, shard), "."]);
      await storeAt(server.address).put(`shards/${shard}.tar`, [readFileSync(archive)]);
    }
    const jpg = { name: "jpg", data: [readFileSync(join(scenes, names[0]))], type: "BYTE_ARRAY" as const };
    writeFileSync(join(scratch, "table.parquet"), Buffer.from(parquetWriteBuffer({ columnData: [jpg] })));
    const page = readFileSync(PAGE, "utf8");
    const lines = [...page.matchAll(/```sh\n(.*?)```/gs)].flatMap(([, code]) => code.trim().split("\n"));
    expect(lines).toHaveLength(8);
    for (const line of lines) {
      const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare);
      // Its paths are from a folder of its own.
      const here = words.slice(1).map((word) => {
        if (word.startsWith("examples/")) return EXAMPLES + word.slice("examples/".length);
        return /^[\w/{}.]+\.(index|tar|parquet)$/.test(word) ? join(scratch, word) : word;
      });
      const { code, stderr } = await runHere(...here);
      expect([line, code, code === 0 ? "" : stderr]).toEqual([line, 0, ""]);
    }
    const images = async (index: string) => (await readIndex(index)).images.length;
    expect(await images(`${server.address}/scenes.index`)).toBe(24);
    expect(await images(`${server.address}/shards.index`)).toBe(4);
    expect(await images(`${server.address}/photos.index`)).toBe(4);
    expect(await images(join(scratch, "shards.index"))).toBe(4);
    expect(await images(join(scratch, "table.index"))).toBe(1);
  } finally {
    await server.close();
    rmSync(scratch, { recursive: true });
  }
});
