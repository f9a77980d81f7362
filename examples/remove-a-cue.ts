/**
 * The embedded model was trained on tigers that are mostly on green. Which heads carry that cue, and what does the worst group gain
 * without them? Run it with `npm run build && npx tsx examples/remove-a-cue.ts`.
 */
import { debias, openModel } from "clip-interpret";
import { PLANTED_CUE, plantedClasses, prepareZeroShot, splitByCue } from "clip-interpret/evaluation";
import { worldIndex } from "clip-interpret/world";

/** The heads that are taken out, and the accuracy of the worst group before and after, on images that chose nothing. */
export async function removeTheCue(images: number, random: number) {
  const model = await openModel();
  const index = await worldIndex(model, { split: "balanced", images });
  const problem = await prepareZeroShot(model, index, plantedClasses(), { groupBy: [PLANTED_CUE] });
  const { before, selections, used } = await debias(model, splitByCue(problem, PLANTED_CUE), { random });
  await model.release();
  const { chosen, outcome } = selections[used];
  return {
    heads: chosen.map(({ name }) => name),
    before: before.test.worst.share,
    after: outcome.test.worst.share,
  };
}

if (process.argv[1] === import.meta.filename) {
  const { heads, before, after } = await removeTheCue(1000, 20);
  console.log(`without ${heads.join(", ")}: worst group ${before.toFixed(2)} → ${after.toFixed(2)}`);
}
