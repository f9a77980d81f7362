/** What an image's score is held against: another text, an average picture, or itself without some heads. */

import { meanOfEachHead } from "../../corpus/means.ts";
import type { Search } from "../../corpus/search.ts";
import type { ShardedIndex } from "../../corpus/sharded-index.ts";
import { dot } from "../../math/linear.ts";
import { lessParts, type Parts } from "../../math/parts.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { allComponents } from "../../model/components.ts";
import type { AverageScore, ComparedText, Explanation } from "../../results/explain.ts";
import { headOf } from "../../results/shapes.ts";

/** The mean over an index of its images' scores for some probes. */
export async function meanScores(
  search: Search<ShardedIndex>,
  model: ClipModel,
  probes: readonly Float64Array[],
) {
  const whole = allComponents(model.geometry);
  const means: number[] = [];
  for (const probe of probes) {
    const scores = await search.scores(probe, whole);
    let sum = 0;
    for (let row = 0; row < scores.length; row++) sum += scores[row];
    means.push(sum / scores.length);
  }
  return means;
}

/**
 * How an index's average picture scores for some texts, head by head.
 * @param means what each head wrote on average, [L·H, D]
 * @param scores of {@link meanScores}
 */
export const averageScores = (
  { geometry: { heads } }: Pick<ClipModel, "geometry">,
  texts: readonly string[],
  probes: readonly Float64Array[],
  means: readonly Float64Array[],
  scores: readonly number[],
): AverageScore[] =>
  probes.map((probe, i) => ({
    text: texts[i],
    similarity: scores[i],
    heads: means.map((mean, unit) => ({
      ...headOf(Math.floor(unit / heads), unit % heads),
      value: dot(mean, probe),
    })),
  }));

/** {@link averageScores} of an index that is searched here. */
export async function averageOf(
  model: ClipModel,
  search: Search<ShardedIndex>,
  texts: readonly string[],
  probes: readonly Float64Array[],
): Promise<AverageScore[]> {
  const means = await meanOfEachHead(search.index, model.geometry);
  return averageScores(model, texts, probes, means, await meanScores(search, model, probes));
}

const partsOf = ({ heads, mlps, sum, similarity }: Explanation): Parts => ({
  heads: heads.map(({ value }) => value),
  mlps: mlps.map(({ value }) => value),
  sum,
  score: similarity,
});
const averageParts = ({ heads, similarity }: AverageScore): Parts => ({
  heads: heads.map(({ value }) => value),
  mlps: null,
  sum: similarity,
  score: similarity,
});

/**
 * Every text's score by parts, less what it is held against.
 * @param against one of the texts; the others are held against it
 * @param average of every text; it knows no MLPs, so theirs are not told then
 */
export function comparedTexts(
  explained: readonly Explanation[],
  against: string | undefined,
  average: readonly AverageScore[] | undefined,
): ComparedText[] {
  const own = explained.map((one, i) =>
    average ? lessParts(partsOf(one), averageParts(average[i])) : partsOf(one),
  );
  const other = own[explained.findIndex(({ text }) => text === against)];
  return explained.flatMap(({ text, heads, mlps }, i) => {
    if (text === against) return [];
    const parts = other ? lessParts(own[i], other) : own[i];
    return [
      {
        ...{ text, score: parts.score },
        heads: heads.map((head, unit) => ({ ...head, value: parts.heads[unit] })),
        mlps: parts.mlps && mlps.map((mlp, term) => ({ ...mlp, value: parts.mlps![term] })),
      },
    ];
  });
}
