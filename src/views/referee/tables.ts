/** The tables of the referee as cells of text, for HTML and Markdown alike. */
import type { RefereeMethod, RefereeResult } from "../../results/referee.ts";
import type { Table } from "../kit/table.ts";
import { number, rangeOf, withRange } from "../study/words.ts";
import { pOf, points } from "./words.ts";

/** Methods that ran, in the order of the result. */
const ran = ({ methods }: RefereeResult) =>
  methods.flatMap((method) => (method.accuracy ? [{ ...method, accuracy: method.accuracy }] : []));

const meanIn = (
  range: { readonly mean: number; readonly low: number; readonly high: number } | null,
): string => withRange(range?.mean ?? null, range);

/** How often every method is right, and beside what. */
export const rightTable = (result: RefereeResult): Table => ({
  caption: "How often is it right?",
  columns: [
    ...["method", "#heads right", "#share", "#over trainings", "#selectivity named"],
    ...["#dealt out within a model", "#within layers", "#p, Holm"],
    ...["#one label for all", "#p over heads, Holm", "#gain over trainings", "#p, Holm", "verdict"],
  ],
  rows: ran(result).map(({ name, accuracy, verdict, bound, ...corrected }) => [
    ...[name, `${accuracy.right} of ${accuracy.heads}`, number(accuracy.share)],
    ...[rangeOf(clamped(accuracy.trainings)), number(accuracy.captured)],
    ...[meanIn(accuracy.permuted), meanIn(accuracy.layered), pOf(corrected.layeredPHolm)],
    ...[number(accuracy.constant), pOf(corrected.constantPHolm)],
    ...[meanIn(accuracy.gain), pOf(corrected.gainPHolm), verdict ?? `${bound} bound`],
  ]),
});

const clamped = (range: { readonly low: number; readonly high: number } | null) =>
  range && { low: Math.max(0, range.low), high: Math.min(1, range.high) };

/** Every method beside the first. */
export function behindTable(result: RefereeResult): Table {
  const methods = ran(result).filter(({ bound }) => bound === null);
  return {
    caption: `Beside ${methods[0]?.name ?? "the first"}`,
    columns: ["method", "#only the first is right", "#only this one is right", "#p, Holm"],
    rows: methods.flatMap(({ name, behind }) =>
      behind === null ? [] : [[name, String(behind.ahead), String(behind.back), pOf(behind.p)]],
    ),
  };
}

/** Whether it holds for other images and texts. */
export const elsewhereTable = (result: RefereeResult): Table => ({
  caption: "Does it hold on other images, and with other texts?",
  columns: [
    ...["method", "#all images and texts", "#other images", "#half of the texts"],
    ...["#same label by half of the images", "#by half of the texts"],
  ],
  rows: ran(result)
    .filter(({ images, texts }) => images !== null || texts !== null)
    .map(({ name, accuracy, images, texts, sameByImages, sameByTexts }) => [
      ...[name, number(accuracy.share), meanIn(images), meanIn(texts)],
      ...[number(sameByImages), number(sameByTexts)],
    ]),
});

/** Whether the model uses heads for what they are said to do. */
export const causalTable = (result: RefereeResult): Table => ({
  caption: "What suffers when the head is taken out? (points of accuracy lost)",
  columns: [
    ...["method", "#heads", "#its own factor", "#other factors", "#own factor, other heads of the layer"],
    ...["#own factor by chance", "#p", "#p, Holm", "#own more : less than others"],
  ],
  rows: ran(result).flatMap(({ name, causal }) =>
    causal === null
      ? []
      : [
          [
            ...[name, String(causal.heads), points(causal.own), points(causal.others), points(causal.peers)],
            causal.byChance === null
              ? "–"
              : `${points(causal.byChance.mean)} [${points(causal.byChance.low)}, ${points(causal.byChance.high)}]`,
            ...[pOf(causal.p), pOf(causal.pHolm), `${causal.more} : ${causal.less}`],
          ],
        ],
  ),
});

/** Whether other trainings' heads get the same label. */
export const matchedTable = (result: RefereeResult): Table => ({
  caption: "Do heads of other seeds that respond most alike get the same label?",
  columns: ["method", "#pairs", "#same label", "#by chance", "#p"],
  rows: ran(result).flatMap(({ name, matched }) =>
    matched === null
      ? []
      : [[name, String(matched.pairs), String(matched.same), meanIn(matched.byChance), pOf(matched.p)]],
  ),
});

/** Heads right of every model. */
export function modelTable(result: RefereeResult): Table {
  const names = result.models.map(({ origin }) => origin.model.name);
  const cell = ({ accuracy }: Pick<RefereeMethod, "accuracy">, model: string) => {
    const own = accuracy?.byModel.find((one) => one.model === model);
    return own ? `${number(own.right / own.heads)} (${number(own.layered)})` : "–";
  };
  return {
    caption: "Share right in every model (in brackets: its labels dealt out within layers, on average)",
    columns: ["method", ...names.map((name) => `#${name}`)],
    rows: ran(result).map((method) => [method.name, ...names.map((name) => cell(method, name))]),
  };
}

/** What the methods are. */
export const methodTable = ({ methods }: RefereeResult): Table => ({
  caption: "The methods",
  columns: ["method", "looks at", "after", "ran"],
  rows: methods.map(({ name, reads, paper, notRun }) => [
    ...[
      name,
      reads.length === 0 ? "nothing" : reads.join(", "),
      paper,
      notRun === null ? "yes" : `no: ${notRun}`,
    ],
  ]),
});

/** What every number follows from. */
export const inputTable = ({ models }: RefereeResult): Table => ({
  caption: "What the numbers follow from, by SHA-256",
  columns: ["model", "#heads", "weights", "index", "#images", "pool", "#texts", "pool’s hash"],
  rows: models.map(({ heads, origin: { model, index, pool } }) => [
    ...[model.name, String(heads.length), model.weights.slice(0, 16), index.sha256.slice(0, 16)],
    ...[index.images.toLocaleString("en"), pool.name],
    ...[pool.texts.toLocaleString("en"), pool.sha256.slice(0, 16)],
  ]),
});
