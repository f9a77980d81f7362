import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { createPreprocessPool, type PreprocessOutcome, preprocessAll } from "../../src/image/pool.ts";
import { preprocess } from "../../src/image/preprocess.ts";
import type { PreprocessConfig } from "../../src/image/types.ts";

const root = new URL("../../", import.meta.url);
const golden = (file: string) => fileURLToPath(new URL(`test/goldens/preprocess/${file}`, root));
const config: PreprocessConfig = { size: 32, resizeMode: "shortest", mean: [0, 0, 0], std: [1, 1, 1] };
const good = [golden("tiny.png"), golden("gray.png"), golden("tall.png"), golden("exif-6.jpg")];
const missing = golden("none.png");

async function collect<Source>(outcomes: AsyncIterable<PreprocessOutcome<Source>>) {
  const all: PreprocessOutcome<Source>[] = [];
  for await (const outcome of outcomes) all.push(outcome);
  return all;
}

describe("preprocessAll", () => {
  it("gives what the direct call gives, in order, with errors in their places", async () => {
    const broken = new Uint8Array([1, 2, 3]);
    const sources = [good[0]!, good[1]!, missing, good[2]!, broken, readFileSync(good[3]!), good[0]!];
    const outcomes = await collect(preprocessAll(sources, config, { threads: 2, ahead: 3 }));
    expect(outcomes.map(({ source }) => source)).toEqual(sources);
    for (const [i, source] of sources.entries()) {
      const direct = await preprocess(source, config).then(
        (image) => ({ source, image }),
        ({ code, message, hint }) => ({ source, error: expect.objectContaining({ code, message, hint }) }),
      );
      expect(outcomes[i]).toEqual(direct);
    }
    expect(broken.length).toBe(3);
  });

  it("reads no more than `ahead` sources before they are asked for, and stops when left", async () => {
    let taken = 0;
    function* endless() {
      for (;;) {
        taken++;
        yield good[0]!;
      }
    }
    let got = 0;
    for await (const outcome of preprocessAll(endless(), config, { threads: 1, ahead: 4 })) {
      expect(outcome).toHaveProperty("image");
      expect(taken).toBeLessThanOrEqual(got + 4);
      if (++got === 6) break;
    }
    expect(got).toBe(6);
  });

  it("stops when its signal fires, before and during the work", async () => {
    const fired = preprocessAll(good, config, { signal: AbortSignal.abort() });
    await expect(collect(fired)).rejects.toMatchObject({ code: "CANCELLED" });
    const controller = new AbortController();
    const sources = Array.from({ length: 500 }, () => good[1]!);
    let got = 0;
    const work = async () => {
      for await (const _ of preprocessAll(sources, config, { threads: 2, signal: controller.signal })) {
        if (++got === 3) controller.abort();
      }
    };
    await expect(work()).rejects.toMatchObject({ code: "CANCELLED" });
    expect(got).toBe(3);
  });
});

describe("createPreprocessPool", () => {
  const pool = createPreprocessPool(config, { threads: 2, maxPixels: 110_000 });
  afterAll(() => pool.close());

  it("goes on while the main thread is blocked", async () => {
    await Promise.all([pool.run(good[0]!), pool.run(good[0]!)]);
    let answered = 0;
    const images = Array.from({ length: 20 }, async () => {
      await pool.run(good[0]!);
      answered++;
    });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    expect(answered).toBe(0);
    // Nothing waits for the threads now: their answers have only to be picked up.
    await nextTurn();
    await nextTurn();
    expect(answered).toBe(20);
    await Promise.all(images);
  });

  it("passes its options on, and outlives errors", async () => {
    await expect(pool.run(golden("coco-000000000030.png"))).rejects.toMatchObject({
      code: "IMAGE_TOO_LARGE",
    });
    await expect(pool.run(good[0]!)).resolves.toMatchObject({ width: 31, height: 17 });
  });

  it("rejects what is under way and what comes after when it is closed", async () => {
    const closing = createPreprocessPool(config, { threads: 1 });
    const waiting = [1, 2, 3].map(() => closing.run(good[1]!));
    const rejected = Promise.all(
      waiting.map((image) => expect(image).rejects.toMatchObject({ code: "CANCELLED" })),
    );
    await closing.close();
    await rejected;
    await closing.close();
    await expect(closing.run(good[0]!)).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("shows images as it was asked to in a thread that another pool has left, and hears nothing of that one's", async () => {
    const left = createPreprocessPool(config, { threads: 1 });
    const asked = [1, 2, 3].map(() => left.run(good[1]!).catch(({ code }) => code));
    await left.close();
    expect(await Promise.all(asked)).toEqual(Array(3).fill("CANCELLED"));
    const other = { ...config, size: 16 };
    const next = createPreprocessPool(other, { threads: 1, maxPixels: 1000 });
    const { rgb } = await preprocess(good[0]!, other);
    expect((await next.run(good[0]!)).rgb).toEqual(rgb);
    await expect(next.run(good[1]!)).rejects.toMatchObject({ code: "IMAGE_TOO_LARGE" });
    await next.close();
    const again = createPreprocessPool(config, { threads: 1 });
    expect((await again.run(good[1]!)).rgb).toEqual((await preprocess(good[1]!, config)).rgb);
    await again.close();
  });
});

const compiled = existsSync(new URL("dist/image/pool.js", root));
const builds = [
  { name: "from sources", module: "src/image/pool.ts", flags: ["--import", "tsx"] },
  ...(compiled ? [{ name: "compiled", module: "dist/image/pool.js", flags: [] }] : []),
];

it.each(builds)(
  "works $name, and lets the process end though the pool is left open",
  async ({ module, flags }) => {
    const script = `
    const { createPreprocessPool } = await import(${JSON.stringify(new URL(module, root).href)});
    const { sha256 } = await createPreprocessPool(${JSON.stringify(config)}).run(${JSON.stringify(good[0])});
    console.log(sha256);`;
    const run = promisify(execFile)(process.execPath, [...flags, "--input-type=module", "-e", script], {
      cwd: fileURLToPath(root),
      timeout: 15_000,
    });
    const { sha256 } = await preprocess(good[0]!, config);
    expect((await run).stdout.trim()).toBe(sha256);
  },
);
