/**
 * What can a head write? Its directions come from its weights alone, without an image, each with two ends in texts. Run it with
 * `npm run build && npx tsx examples/what-a-head-can-write.ts`.
 */
import { openModel, parseHeads } from "clip-interpret";
import { defaultPool, describeFromWeights, loadPool } from "clip-interpret/labeling";

/** The strongest directions of a head: what texts say of both ends, and how near they come beside chance. */
export async function whatAHeadCanWrite(head: string, directions: number) {
  const model = await openModel();
  const pool = await loadPool(defaultPool(model.name));
  const { heads, chance } = await describeFromWeights(model, pool, {
    set: parseHeads(model, head),
    directions,
  });
  await model.release();
  return {
    chance,
    directions: heads[0].directions.map(({ direction, share, ends }) => ({
      name: `${heads[0].name}@${direction}`,
      ...{ share, cosine: ends[0].cosine },
      ends: ends.map(({ texts }) => texts.map(({ text }) => text)),
    })),
  };
}

if (process.argv[1] === import.meta.filename) {
  const { directions, chance } = await whatAHeadCanWrite("L3.H1", 3);
  for (const { name, share, cosine, ends } of directions)
    console.log(
      `${name}  ${(100 * share).toFixed(0)} %  ${cosine.toFixed(2)}  ${ends[0][0]} … ${ends[1][0]}`,
    );
  console.log(`directions at random: ${chance?.mean.toFixed(2)}`);
}
