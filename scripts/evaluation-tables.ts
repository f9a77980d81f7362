/**
 * The numbers of `debias` and `evaluate retrieval` over the embedded models in docs/: written by `npm run docs:evaluation`, held by a
 * long test.
 */

import { weightedName } from "../src/model/components.ts";
import type { DebiasResult } from "../src/results/debias.ts";
import type { RetrievalResult } from "../src/results/retrieval.ts";
import type { Scoring } from "../src/results/scoring.ts";
import { baselineTable, selectionTable } from "../src/views/debias/words.ts";
import { percent } from "../src/views/kit/chart.ts";
import { type Table, tableMarkdown } from "../src/views/kit/table.ts";
import { formatSigned } from "../src/views/kit/text.ts";

/** The models whose retrieval is in docs/, and the scorings. */
export const RETRIEVAL_MODELS = ["emoji-4x128-p8", "emoji-6x192-p8", "emoji-4x128-p16"];
export const RETRIEVAL_SCORINGS: readonly Scoring[] = ["dot", "cosine", "centred"];

/** The pages, and for each the blocks that are generated. */
export const EVALUATION_PAGES = {
  "debias.md": ["selections", "price", "gap", "larger", "seeds", "ways", "models"],
  "neighbors.md": ["scorings", "retrieval"],
} as const;

/** The larger model whose choices of heads are in docs/, and the patch of those that were trained from several seeds. */
const LARGER = "emoji-6x192-p8";
const SEEDED = "-p16";

/** Blocks of docs/debias.md; the first result is that of the model that the page is about. */
export function debiasBlocks(results: readonly DebiasResult[]): Readonly<Record<string, string>> {
  const [first] = results;
  const larger = results.find(({ origin }) => origin.model.name === LARGER);
  if (!larger) throw new Error(`no result of ${LARGER}`);
  const titled = (result: DebiasResult, what: string, table: Omit<Table, "caption">) =>
    tableMarkdown({ caption: `${result.origin.model.name}, ${what}`, ...table });
  return {
    selections: titled(
      first,
      "direct effects to their means (per cent; * the way that is used)",
      selectionTable(first),
    ),
    price: priceWords(first),
    gap: gapWords(first),
    larger: titled(larger, "the same (per cent)", countedTable(larger)),
    seeds: tableMarkdown(seedsTable(results.filter(({ origin }) => origin.model.name.includes(SEEDED)))),
    ways: titled(first, "the heads beside other ways (per cent)", baselineTable(first)),
    models: tableMarkdown(modelsTable(results)),
  };
}

/** How many heads are chosen, where naming them would fill the page. */
function countedTable(result: DebiasResult): Omit<Table, "caption"> {
  const { columns, rows } = selectionTable(result);
  const counted = rows.map((cells, i) => (i === 0 ? cells : cells.with(1, chosenOf(result, i - 1))));
  return { columns, rows: counted };
}

const chosenOf = ({ selections, gap }: DebiasResult, selection: number) =>
  `${selections[selection].chosen.length} of ${gap.heads.length}`;

/** The groups that lost most. */
function priceWords({ groups }: DebiasResult): string {
  const fell = groups
    .toSorted((a, b) => a.after.share - a.before.share - (b.after.share - b.before.share))
    .slice(0, 2)
    .map(({ name, before, after }) => `${name} from ${percent(before.share)} to ${percent(after.share)}`);
  return `The price: where the colour helped, accuracy falls; most of ${fell.join(" and of ")} per cent.`;
}

/** What each component adds to the gap. */
function gapWords({ gap }: DebiasResult): string {
  const number = (value: number) => value.toFixed(3).replace("-", "−");
  const ordered = gap.heads.toSorted((a, b) => b.value - a.value);
  const most = ordered.slice(0, 3).map(({ name, value }) => `${name} ${number(value)}`);
  const last = Math.max(...gap.heads.map(({ layer }) => layer));
  const late = gap.heads.filter(({ layer }) => layer === last).reduce((sum, { value }) => sum + value, 0);
  return `Margins are linear, so the gap of the whole model, ${number(gap.whole)}, is the sum of its components': ${most.join(", ")}, every other head at most ${number(ordered[3].value)}, and the MLPs together ${number(gap.mlps)}. The heads of the last layer together add ${number(late)}.`;
}

/** The heads that were used in models that differ in their seed alone, or in their size. */
function seedsTable(results: readonly DebiasResult[]): Table {
  const [{ columns }] = results.map(selectionTable);
  return {
    caption: "Heads chosen by selectivity, in models of patches of 16 pixels (per cent)",
    columns: ["model", ...columns.slice(1)],
    rows: results.flatMap((result) => {
      const { rows } = selectionTable(result);
      const { name } = result.origin.model;
      const of = (row: number, heads: string) => [name, heads, ...rows[row].slice(2)];
      return [of(0, "none"), of(1 + result.used, chosenOf(result, result.used))];
    }),
  };
}

/** Worst group and average of every model by the heads and by every other way. */
function modelsTable(results: readonly DebiasResult[]): Table {
  const both = ({ test }: { readonly test: DebiasResult["before"]["test"] }) =>
    `${test.worst ? percent(test.worst.share) : "–"} / ${percent(test.average.share)}`;
  const points = (share: number) => formatSigned(100 * share, 1);
  return {
    caption:
      "Worst group / average, and in brackets the average of the heads less that of the way (per cent)",
    columns: [
      "model",
      "#nothing",
      "#heads that are used",
      "#their outcome",
      ...results[0].baselines.map(({ baseline }) => `#${baseline}`),
    ],
    rows: results.map(({ origin, before, selections, used, baselines }) => [
      ...[
        origin.model.name,
        both(before),
        String(selections[used].chosen.length),
        both(selections[used].outcome),
      ],
      ...baselines.map(
        ({ outcome, lead }) =>
          `${both(outcome)} (${points(lead.mean)} [${points(lead.low)}, ${points(lead.high)}])`,
      ),
    ]),
  };
}

const scoringName = (scoring: Scoring) => (scoring === "dot" ? "product" : scoring);

/** Blocks of docs/neighbors.md. */
export function retrievalBlocks(results: readonly RetrievalResult[]): Readonly<Record<string, string>> {
  const of = (model: string, scoring: Scoring) => {
    const found = results.find((one) => one.origin.model.name === model && one.scoring === scoring);
    if (!found) throw new Error(`no retrieval of ${model} by ${scoring}`);
    return found;
  };
  const [model] = RETRIEVAL_MODELS;
  return {
    scorings: tableMarkdown({
      caption: "Through the three heads chosen for each factor, on the demo corpus",
      columns: [
        ...["model", "scoring", "#precision@8, mean over factors", "#in nobody’s nearest eight (worst set)"],
        ...["#lists that the commonest image is in", "#skewness"],
      ],
      rows: RETRIEVAL_MODELS.flatMap((name) =>
        RETRIEVAL_SCORINGS.map((scoring) => [name, scoringName(scoring), ...hubCells(of(name, scoring))]),
      ),
    }),
    retrieval: tableMarkdown(factorTable(of(model, "centred"), of(model, "dot"))),
  };
}

/** Rows of heads that were chosen for a factor, with that factor's number. */
const chosenRows = ({ factors, rows }: RetrievalResult) =>
  rows.flatMap((row) => {
    const at = factors.findIndex(({ name }) => name === row.chosenFor);
    return at < 0 ? [] : [{ ...row, factor: factors[at], own: row.precisionAtK[at], at }];
  });

function hubCells(result: RetrievalResult): string[] {
  const rows = chosenRows(result);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const never = rows.map(({ hubness }) => hubness.never);
  return [
    percent(mean(rows.map(({ own }) => own.mean))),
    `${percent(mean(never))} (${percent(Math.max(...never))})`,
    String(Math.max(...rows.map(({ hubness }) => hubness.most))),
    mean(rows.map(({ hubness }) => hubness.skewness)).toFixed(1),
  ];
}

/** Every factor through its heads, beside the whole embedding and the product. */
function factorTable(centred: RetrievalResult, product: RetrievalResult): Table {
  const whole = centred.rows.find(({ chosenFor }) => chosenFor === "embedding")!;
  const range = ({ mean, low, high }: { mean: number; low: number; high: number }) =>
    `${percent(mean)} [${percent(low)}, ${percent(high)}]`;
  const byProduct = chosenRows(product);
  const rows = chosenRows(centred).sort((a, b) => b.own.mean - a.own.mean);
  return {
    caption: `${centred.origin.model.name}: precision@8 in per cent`,
    columns: [
      ...["factor", "its heads", "#through them", "#whole embedding", "#chance", "#queries"],
      "#through them, product",
    ],
    rows: rows.map(({ factor, heads, own, at }) => [
      ...[
        factor.name,
        heads.map(({ name, weight }) => weightedName(name, weight)).join(", "),
        range(own),
        range(whole.precisionAtK[at]),
      ],
      ...[percent(factor.chance), factor.queries.toLocaleString("en")],
      percent(byProduct.find(({ chosenFor }) => chosenFor === factor.name)!.own.mean),
    ]),
  };
}
