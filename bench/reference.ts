/**
 * TEXTSPAN over raw arrays beside the published algorithm in PyTorch (`bench/reference.py`), in turns in one run. `npm run bench --
 * reference`, with `PYTHON` a Python that has torch and numpy (`pip install torch numpy`).
 *
 * n contributions of 512 numbers, 3,498 texts, 20 steps. Ours counts from the array to the directions: moments, row space,
 * projection of the texts, choice. The rotations of the control, which the published scripts do not have, are left out of both.
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { arrayMoments } from "../src/analysis/textspan/contributions.ts";
import { textspan } from "../src/analysis/textspan/textspan.ts";
import { Random } from "../src/math/random.ts";
import { createAlgebra } from "../src/onnx/algebra.ts";
import { openNodeSession } from "../src/onnx/node-session.ts";
import { createNpyWriter, openNpyRows } from "../src/support/npy-stream.ts";
import { ratio } from "./ratio.ts";

const [WIDTH, TEXTS, STEPS, TURNS] = [512, 3498, 20, 3];
const IMAGES = [1000, 5000];

const python = spawn(process.env.PYTHON ?? "python3", [join(import.meta.dirname, "reference.py")], {
  stdio: ["pipe", "pipe", "inherit"],
});
const answers = createInterface({ input: python.stdout })[Symbol.asyncIterator]();
const answer = async <T>(): Promise<T> => {
  const { value, done } = await answers.next();
  if (done) throw new Error("no Python with torch and numpy: pip install torch numpy, and set PYTHON");
  return JSON.parse(value) as T;
};
const { torch, threads } = await answer<{ torch: string; threads: number }>();
console.log(`PyTorch ${torch}, ${threads} threads`);

const folder = await mkdtemp(join(tmpdir(), "reference-"));
const random = new Random(3);
/** Rows of normal numbers, of which later ones vary less. */
async function write(name: string, rows: number, decays: boolean): Promise<string> {
  const path = join(folder, `${name}.npy`);
  const writer = await createNpyWriter(path, [rows, WIDTH]);
  const scale = (column: number) => (decays ? 1 / (1 + column / 8) : 1 / Math.sqrt(WIDTH));
  await writer.append(
    Float32Array.from({ length: rows * WIDTH }, (_, i) => scale(i % WIDTH) * random.normal()),
  );
  await writer.finish();
  return path;
}
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];

async function readAll(path: string): Promise<Float32Array> {
  const rows = await openNpyRows(path, 2);
  const all = await rows.read(0, TEXTS);
  await rows.close();
  return all;
}

const texts = await write("texts", TEXTS, false);
const algebra = await createAlgebra(openNodeSession);
for (const images of IMAGES) {
  const contributions = await write(`contributions-${images}`, images, true);
  const times = { ours: [] as number[], theirs: [] as number[] };
  let same = 0;
  for (let turn = -1; turn < TURNS; turn++) {
    const rows = await openNpyRows(contributions, 2);
    const features = await readAll(texts);
    const started = performance.now();
    const moments = await arrayMoments(algebra, rows);
    const { selected } = await textspan(moments, null, features, { algebra, iterations: STEPS });
    const took = performance.now() - started;
    await rows.close();
    python.stdin.write(`${JSON.stringify({ contributions, texts, steps: STEPS, rank: WIDTH })}\n`);
    const { chosen, ms } = await answer<{ chosen: number[]; ms: number }>();
    same = selected.findIndex((text, step) => text !== chosen[step]);
    if (turn < 0) continue;
    times.ours.push(took);
    times.theirs.push(ms);
  }
  const [ours, theirs] = [median(times.ours), median(times.theirs)];
  console.log(
    `${images} contributions: ${ours.toFixed(0)} ms; PyTorch ${theirs.toFixed(0)} ms (${(theirs / ours).toFixed(1)} ×); ${same < 0 ? "the same texts in the same order" : `the same texts up to step ${same}`}`,
  );
  ratio({
    ...{ what: `textspan of ${images} × ${WIDTH} raw contributions`, took: ours },
    ...{ beside: "the published algorithm in PyTorch", besideTook: theirs },
  });
}
python.stdin.end();
await algebra.release();
await rm(folder, { recursive: true });
