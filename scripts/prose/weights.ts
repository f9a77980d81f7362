/** Numbers of weights alone. */
import { compareFineTune } from "../../src/analysis/compare/fine-tune.ts";
import { quantile } from "../../src/math/intervals.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { EMBEDDED_MODELS } from "../../src/model/embedded.ts";
import { openModel } from "../../src/model/registry.ts";
import { decomposeMap, headMaps } from "../../src/model/singular-directions.ts";
import type { ProseNumber } from "./paragraphs.ts";

const percent = (value: number) => (100 * value).toFixed(0);

/** How far weights of two seeds of a training are apart. */
export async function seedsApart(): Promise<ProseNumber[]> {
  const models = await Promise.all(["emoji-4x128-p16", "emoji-4x128-p16-s2"].map((name) => openModel(name)));
  const { heads } = await compareFineTune(models[0], models[1]);
  for (const model of models) await model.release();
  const changes = heads.map(({ change }) => change).sort((a, b) => a - b);
  const [least, middle, most] = [changes[0], quantile(changes, 0.5), changes[changes.length - 1]];
  const words = `(${percent(least)}–${percent(most)} %, median ${percent(middle)} %, over the ${heads.length} heads of two seeds of`;
  return [{ page: "compare.md", words }];
}

/** By how much the mean that V makes of a residual's mean raises a singular value, at most, of any head. */
export async function meansOfValues(): Promise<ProseNumber[]> {
  let most = 0;
  for (const name of EMBEDDED_MODELS) {
    const model = await openModel(name);
    most = Math.max(most, await mostOfMeans(model));
    await model.release();
  }
  return [{ page: "textspan.md", words: `it adds at most ${Math.ceil(100 * most)} % to a singular value` }];
}

async function mostOfMeans(model: ClipModel): Promise<number> {
  const { layers, heads } = model.geometry;
  const mapOf = headMaps(model);
  let most = 0;
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
  return most;
}
