/**
 * The upper bound: contrasts of the factors themselves. A property's score is the share of the head's variance that lies
 * between the images of its factor's values, ε² (`analysis/selectivity`), in half of the images. No method may look at
 * factors; this one says how right one can be where the truth is estimated from other images.
 */
import { explainByFactors } from "../../analysis/selectivity/selectivity.ts";
import { shuffled } from "../../labeling/baselines.ts";
import { factorsOf } from "../../labeling/truth.ts";
import { Random } from "../../math/random.ts";
import { claimOf, type Method } from "../method.ts";

export const knownFactors: Method = {
  key: "known",
  name: "known factors of half of the images",
  paper: "no paper: the upper bound",
  reads: ["images", "factors"],
  bound: "upper",
  async judge(bench) {
    const { model, search, rows, properties, signal } = bench;
    // Of all images half, so that the truth is not compared with itself; of a half all.
    const whole = rows.length === search.index.images.length;
    const half = whole
      ? shuffled(rows, new Random(bench.seed, 0)).slice(0, Math.floor(rows.length / 2))
      : rows;
    const { factors, heads } = await explainByFactors(search.index, model, {
      ...{ rows: half, permutations: 0 },
      ...(signal && { signal }),
    });
    const sharesOf = factorsOf(properties, factors);
    return bench.heads.map((head) => {
      const own = heads.find(({ name }) => name === head.name)!;
      return claimOf(head, bench, sharesOf(own));
    });
  },
};
