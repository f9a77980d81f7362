import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KNOWN_MODELS } from "../hub/known-models.ts";
import { EMBEDDED_MODELS } from "../model/embedded.ts";
import type { ProgressEvent } from "../support/progress.ts";
import { defaultPool, loadPool, POOLS } from "./pool.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pool-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Writes a file and returns its path. */
async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

describe("a pool", () => {
  it.each(POOLS)("comes with the package: %s", async (name) => {
    const pool = await loadPool(name);
    expect(pool.name).toBe(name);
    expect(pool.texts.length).toBeGreaterThan(1000);
    expect(pool.texts.every(({ property }) => property !== null)).toBe(true);
  });

  it("is the same whichever kind of file it is read from, but for its name", async () => {
    const txt = await loadPool(await file("a.txt", "a dog\na  red cat \n\n"));
    const crlf = await loadPool(await file("b.txt", "\ufeffa dog\r\na red cat\r\n"));
    const jsonl = await loadPool(
      await file("a.jsonl", '{"text":"a dog"}\n{"text":"a red cat","property":null}\n'),
    );
    const csv = await loadPool(await file("a.csv", "text,property\na dog,\n a red cat,\n"));
    expect(txt.texts).toEqual([
      { text: "a dog", property: null },
      { text: "a red cat", property: null },
    ]);
    for (const other of [crlf, jsonl, csv]) {
      expect(other.texts).toEqual(txt.texts);
      expect(other.hash).toBe(txt.hash);
    }
    expect(jsonl.name).toBe(join(folder, "a.jsonl"));
  });

  it("keeps the properties that a file gives, and its hash follows them and the order", async () => {
    const tagged = await loadPool(
      await file("t.csv", 'property,text,note\nanimals,"a dog, a cat",x\ncolors,"a ""red"" wall",y\n'),
    );
    expect(tagged.texts).toEqual([
      { text: "a dog, a cat", property: "animals" },
      { text: 'a "red" wall', property: "colors" },
    ]);
    const untagged = await loadPool(await file("u.txt", 'a dog, a cat\na "red" wall\n'));
    const turned = await loadPool(await file("v.txt", 'a "red" wall\na dog, a cat\n'));
    expect(new Set([tagged.hash, untagged.hash, turned.hash]).size).toBe(3);
  });

  it("says which texts it leaves out because they came before", async () => {
    const events: ProgressEvent[] = [];
    const path = await file("twice.txt", "a dog\na cat\n\nA Dog\na cat\n");
    const pool = await loadPool(path, { report: (event) => events.push(event) });
    expect(pool.texts.map(({ text }) => text)).toEqual(["a dog", "a cat"]);
    expect(events).toEqual([
      {
        type: "warning",
        code: "TEXT_REPEATED",
        message: `${path}, line 4: "A Dog" is left out, it is in line 1 already`,
      },
      {
        type: "warning",
        code: "TEXT_REPEATED",
        message: `${path}, line 5: "a cat" is left out, it is in line 2 already`,
      },
    ]);
  });

  it.each([
    ["l.jsonl", '{"text":"a dog"}\n\n{"text":\n', "line 3"],
    ["m.jsonl", '{"text":"a dog"}\n{"property":"animals"}\n', "line 2"],
    ["n.jsonl", '{"text":"a dog","tag":"animals"}\n', "line 1"],
    ["o.jsonl", '["a dog"]\n', "line 1"],
    ["p.jsonl", '{"text":"a dog"}\n{"text":"  "}\n', "line 2: the text is empty"],
    ["q.csv", "word\na dog\n", "text"],
    ["r.csv", 'text\n"a dog\n', "line"],
    ["s.csv", "text,property\na dog,animals\n,colors\n", "line 3: the text is empty"],
    ["t.json", '["a dog"]', "neither"],
    ["u.txt", Uint8Array.of(0x61, 0x20, 0xff, 0xfe, 0x0a), "not UTF-8"],
  ])("refuses a file that is not one and says where: %s", async (name, content, where) => {
    const path = await file(name, content);
    await expect(loadPool(path)).rejects.toMatchObject({
      code: "POOL_INVALID",
      message: expect.stringContaining(where),
    });
    await expect(loadPool(path)).rejects.toThrow(path);
  });

  it("refuses an empty file, a missing one and a folder, each in its way", async () => {
    await expect(loadPool(await file("empty.txt", " \n\n"))).rejects.toMatchObject({ code: "TEXTS_EMPTY" });
    await expect(loadPool(await file("empty.csv", "text\n"))).rejects.toMatchObject({ code: "TEXTS_EMPTY" });
    await expect(loadPool(folder)).rejects.toMatchObject({ code: "INPUT_UNREADABLE" });
    await expect(loadPool("photograph")).rejects.toMatchObject({
      code: "INPUT_NOT_FOUND",
      hint: expect.stringContaining("photographs, emoji"),
    });
    await expect(loadPool("emoji", { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "CANCELLED",
    });
  });
});

describe("the default pool", () => {
  it("is that of the world a model was trained on", () => {
    for (const name of EMBEDDED_MODELS) expect(defaultPool(name)).toBe("emoji");
    for (const { name, hubId } of KNOWN_MODELS) {
      expect(defaultPool(name)).toBe("photographs");
      expect(defaultPool(hubId)).toBe("photographs");
    }
  });
});
