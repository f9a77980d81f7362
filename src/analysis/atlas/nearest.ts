import type { Index } from "../../corpus/open-index.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { allHeads } from "../../model/components.ts";
import type { AtlasNearest } from "../../results/atlas.ts";
import { type Head, headOf } from "../../results/shapes.ts";
import { checkCancelled } from "../../support/progress.ts";
import { expectedByChance, similarities } from "../compare/cka.ts";
import { drawn, responses, sharedImages } from "../compare/compare.ts";
import type { AtlasLabels } from "./labels.ts";
import type { AtlasOptions, OtherSide } from "./options.ts";

/** Images that heads are compared over. */
const COMPARED = 500;
const NEAREST = 5;

/** The heads that tell the same images apart, in this model and in others, for every head. */
export async function nearestHeads(
  model: ClipModel,
  index: Index,
  units: readonly Head[],
  { others = [], seed = 0, signal }: AtlasOptions,
) {
  const sideOf = (side: Pick<OtherSide, "model" | "index">) => {
    const set = allHeads(side.model.geometry);
    return { model: side.model, index: side.index, components: { name: "all", set } };
  };
  const { matmul } = model;
  const own = await responses(
    matmul,
    sideOf({ model, index }),
    drawn([...index.images.keys()], COMPARED, seed),
  );
  checkCancelled(signal);
  const among = async (
    similarity: Float64Array,
    chance: Float64Array,
    heads: readonly Head[],
    labels: AtlasLabels = {},
  ) =>
    units.map(({ name }, unit): AtlasNearest[] => {
      const at = unit * heads.length;
      return [...heads.keys()]
        .filter((i) => heads !== units || heads[i].name !== name)
        .sort((a, b) => similarity[at + b] - similarity[at + a] || a - b)
        .slice(0, NEAREST)
        .map((i) => ({
          ...heads[i],
          label: labels[heads[i].name]?.label ?? null,
          similarity: similarity[at + i],
          chance: chance[at + i],
        }));
    });
  const found = await among(await similarities(matmul, own, own), expectedByChance(own, own), units);
  const elsewhere: { model: string; index: string; images: number; heads: AtlasNearest[][] }[] = [];
  for (const other of others) {
    checkCancelled(signal);
    const pairs = drawn(sharedImages(index, other.index).rows, COMPARED, seed);
    const here = await responses(
      matmul,
      sideOf({ model, index }),
      pairs.map(([row]) => row),
    );
    const there = await responses(
      matmul,
      sideOf(other),
      pairs.map(([, row]) => row),
    );
    const names = allHeads(other.model.geometry).heads.map(({ layer, head }) => headOf(layer, head));
    elsewhere.push({
      ...{ model: other.model.name, index: other.index.name ?? other.index.folder, images: pairs.length },
      heads: await among(
        await similarities(matmul, here, there),
        expectedByChance(here, there),
        names,
        other.labels,
      ),
    });
  }
  return { own: found, others: elsewhere };
}
