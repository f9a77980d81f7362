/** What is said of how true maps are, in words and cells: the same on a page, in a terminal and in the docs. */
import type { FaithfulMethod, Faithfulness, FaithfulnessMeasure } from "../../results/faithfulness.ts";
import type { Measured } from "../../results/segmentation-evaluation.ts";
import { percent, percentOf } from "../kit/chart.ts";
import type { Table } from "../kit/table.ts";
import { counted } from "../kit/text.ts";

const MEASURES: readonly (readonly [FaithfulnessMeasure, string])[] = [
  ["pointing", "pointing"],
  ["energy", "energy"],
  ["insertion", "insertion"],
  ["deletion", "deletion (less is better)"],
];

/** A heading. */
export const faithfulnessTitle = ({ origin, images, source }: Faithfulness): string =>
  `How true maps of ${origin.model.name} are: ${counted(images, "image")} of ${source}`;

/** What must be known before the numbers are read; null where nothing must. */
export const faithfulnessNotice = ({ origin, foreign }: Faithfulness): string | null =>
  origin.model.notice !== null && foreign
    ? `${origin.model.notice} These images are not of its world: read the numbers as a test of the measurement, not of the model.`
    : origin.model.notice;

/** `68.4 [66.5, 70.1]`. */
const inPercent = ({ value, low, high }: Measured): string =>
  `${percent(value)} [${percent(low)}, ${percent(high)}]`;

/** A row a method with every measure, in per cent. */
export const faithfulnessTable = ({ methods }: Faithfulness): Table => ({
  caption: "per cent, with 95\u00a0% intervals over images",
  columns: ["method", ...MEASURES.map(([, title]) => `#${title}`)],
  rows: methods.map(({ name, measures }) => [
    name,
    ...MEASURES.map(([measure]) => inPercent(measures[measure])),
  ]),
});

/** A row a method: how like its maps stay to what they were as layers are shuffled; null where that was not asked. */
export function sanityTable({ methods, shuffled, sanityImages }: Faithfulness): Table | null {
  if (shuffled.length === 0) return null;
  const until = shuffled.map((layer, i) => (i === 0 ? layer : `${shuffled[0]}–${layer}`));
  const cell = ({ value, low, high }: Measured) => `${fixed(value)} [${fixed(low)}, ${fixed(high)}]`;
  return {
    caption: `rank correlation with the maps of the network as it is, ${counted(sanityImages, "image")}`,
    columns: ["method", ...until.map((layers) => `#${layers} shuffled`)],
    rows: methods.map(({ name, sanity }) => [name, ...(sanity ?? []).map(cell)]),
  };
}

const fixed = (value: number) => value.toFixed(2).replace("-", "−");

/** What the images and curves were. */
export const askedInWords = ({
  maps,
  classes,
  foreground,
  steps,
  probability,
  draws,
}: Faithfulness): string =>
  `${counted(maps, "pair")} of image and class; ${percentOf(foreground)} of the pixels are foreground. Patches come and go in ${steps} steps; the class’s probability among ${classes} is ${percentOf(probability.whole)} with all of them and ${percentOf(probability.empty)} with none. Intervals: bootstrap over images, ${draws} resamples.`;

/** Who is first by a measure, and whether the first method is. */
export function leadersInWords({ methods }: Faithfulness): string[] {
  return MEASURES.map(([measure, title]) => {
    const sign = measure === "deletion" ? -1 : 1;
    const best = methods.reduce((first, method) =>
      sign * (method.measures[measure].value - first.measures[measure].value) > 0 ? method : first,
    );
    const [own] = methods;
    if (best === own) return `${title}: ${own.name} is first, ${runnerUp(methods, measure, sign)}.`;
    const { value, low, high } = best.difference[measure];
    const apart = low > 0 || high < 0 ? "" : ", which may be chance";
    return `${title}: ${best.name} is first, ${signed(value)} [${signed(low)}, ${signed(high)}] points from ${own.name}${apart}.`;
  });
}

function runnerUp(methods: readonly FaithfulMethod[], measure: FaithfulnessMeasure, sign: number): string {
  // Sets of heads are compared with the methods of others.
  const others = methods.filter(({ components }) => components === null);
  const next = others.reduce((first, method) =>
    sign * (method.measures[measure].value - first.measures[measure].value) > 0 ? method : first,
  );
  const { value, low, high } = next.difference[measure];
  return `${next.name} the best of the others, ${signed(value)} [${signed(low)}, ${signed(high)}] points from it`;
}

const signed = (share: number) => `${share < 0 ? "−" : "+"}${percent(Math.abs(share))}`;
