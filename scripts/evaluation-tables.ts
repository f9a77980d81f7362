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
  "debias.md": ["selections", "ways", "models"],
  "neighbors.md": ["scorings", "retrieval"],
} as const;

/** Blocks of docs/debias.md; the first result is that of the model that the page is about. */
export function debiasBlocks(results: readonly DebiasResult[]): Readonly<Record<string, string>> {
  const [first] = results;
  const { name } = first.origin.model;
  const captioned = (caption: string, table: Omit<Table, "caption">) => tableMarkdown({ caption, ...table });
  return {
    selections: captioned(
      `${name}, direct effects to their means (per cent; * the way that is used)`,
      selectionTable(first),
    ),
    ways: captioned(`${name}, the heads beside other ways (per cent)`, baselineTable(first)),
    models: tableMarkdown(modelsTable(results)),
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
