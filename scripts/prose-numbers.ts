/** Numbers that stand in sentences of docs/, and what they are measured to be: printed by `npm run docs:prose`, held by a long test. */
import { compareFineTune } from "../src/analysis/compare/fine-tune.ts";
import { quantile } from "../src/math/intervals.ts";
import type { ClipModel } from "../src/model/clip-model.ts";
import { EMBEDDED_MODELS } from "../src/model/embedded.ts";
import { openModel } from "../src/model/registry.ts";
import { decomposeMap, headMaps } from "../src/model/singular-directions.ts";

/** Words of a page that follow from what was measured. */
interface ProseNumber {
  readonly page: string;
  readonly words: string;
}

const percent = (value: number) => (100 * value).toFixed(0);

/** Measures all of them. */
export async function proseNumbers(): Promise<ProseNumber[]> {
  const models = await Promise.all(EMBEDDED_MODELS.map((name) => openModel(name)));
  const named = (name: string) => models.find((model) => model.name === name)!;
  try {
    const { heads } = await compareFineTune(named("emoji-4x128-p16"), named("emoji-4x128-p16-s2"));
    const changes = heads.map(({ change }) => change).sort((a, b) => a - b);
    const [least, middle, most] = [changes[0], quantile(changes, 0.5), changes[changes.length - 1]];
    return [
      {
        page: "compare.md",
        words: `(${percent(least)}–${percent(most)} %, median ${percent(middle)} %, over the ${heads.length} heads of two seeds of`,
      },
      {
        page: "textspan.md",
        words: `it adds at most ${Math.ceil(100 * (await mostOfMeans(models)))} % to a singular value`,
      },
    ];
  } finally {
    for (const model of models) await model.release();
  }
}

/** By how much the mean that V makes of a residual's mean raises a singular value, at most, of any head. */
async function mostOfMeans(models: readonly ClipModel[]): Promise<number> {
  let most = 0;
  for (const model of models) {
    const { layers, heads } = model.geometry;
    const mapOf = headMaps(model);
    for (let unit = 0; unit < layers * heads; unit++) {
      const { values, matrix, rows } = await mapOf(Math.floor(unit / heads), unit % heads);
      const width = values.length / rows;
      const centred = values.slice();
      for (let row = 0; row < rows; row++) {
        const own = centred.subarray(row * width, (row + 1) * width);
        const mean = own.reduce((sum, value) => sum + value, 0) / width;
        for (let i = 0; i < width; i++) own[i] -= mean;
      }
      const [as, without] = [values, centred].map((all) => decomposeMap(all, matrix, rows).values);
      for (const [k, value] of as.entries())
        if (without[k] > 1e-6 * without[0]) most = Math.max(most, value / without[k] - 1);
    }
  }
  return most;
}
