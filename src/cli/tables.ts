import type { CatalogueEntry } from "../model/catalogue.ts";
import { weightedName } from "../model/components.ts";
import type { BenchmarkResult } from "../results/benchmark.ts";
import type { CalibrateResult } from "../results/calibrate.ts";
import type { CompareResult } from "../results/compare.ts";
import type { DebiasResult } from "../results/debias.ts";
import type { ExplainResult } from "../results/explain.ts";
import type { Faithfulness } from "../results/faithfulness.ts";
import type { FineTuneResult } from "../results/fine-tune.ts";
import type { FromWeightsResult } from "../results/from-weights.ts";
import type { LabelResult } from "../results/label.ts";
import { type MetricsResult, valuesOf } from "../results/metrics.ts";
import type { NeighborsResult } from "../results/neighbors.ts";
import type { RefereeResult } from "../results/referee.ts";
import type { RegistersResult } from "../results/registers.ts";
import type { RetrievalResult } from "../results/retrieval.ts";
import type { SegmentResult } from "../results/segment.ts";
import type { SegmentationEvaluation } from "../results/segmentation-evaluation.ts";
import type { SelectivityResult } from "../results/selectivity.ts";
import type { SimilarResult } from "../results/similar.ts";
import type { StudyResult } from "../results/study.ts";
import type { Span, TextspanArraysResult, TextspanResult } from "../results/textspan.ts";
import type { VerifyResult } from "../results/verify.ts";
import type { WordsResult } from "../results/words.ts";
import type { ZeroShotResult } from "../results/zero-shot.ts";
import { type CsvCell, csvOf } from "../views/kit/csv.ts";

/** A row of a table: names and values. */
type Row = Readonly<Record<string, CsvCell>>;
type Rows<R> = (result: R) => readonly Row[];

const table = <R>(rows: Rows<R>) => rows as Rows<unknown>;
const names = (heads: readonly { readonly name: string }[]) => heads.map(({ name }) => name).join(" ");
/** `all` → `all`, `allLow`, `allHigh`: a value with its interval in one row. */
const withInterval = (name: string, { low, high }: { readonly low: number; readonly high: number }) => ({
  [`${name}Low`]: low,
  [`${name}High`]: high,
});

const spanRows = (component: string, { descriptions }: Span): Row[] =>
  descriptions.map(({ text, property, explainedVariance, chosenShare }, i) => ({
    component,
    rank: i + 1,
    text,
    property,
    explainedVariance,
    chosenShare,
  }));

/** What every word adds at every patch, then what has no word or no patch: with these the values sum to the cosine. */
const wordRows = ({ words, rest, image }: WordsResult): Row[] => [
  ...words.flatMap(({ text, map }, word) =>
    map.flatMap((cells, row) =>
      cells.map((value, column) => ({ part: "word", word, text, image: "patch", row, column, value })),
    ),
  ),
  ...words.flatMap(({ text, shares }, word) =>
    image.slice(1).map((name, i) => ({
      ...{ part: "word", word, text, image: name, row: null, column: null, value: shares[i + 1] },
    })),
  ),
  ...rest.flatMap(({ text, shares }) =>
    image.map((name, i) => ({
      ...{ part: "rest", word: null, text, image: name, row: null, column: null, value: shares[i] },
    })),
  ),
];
/** A row a text: the direction, which end of it, and how much of the text is in the end. */
const directionRows = ({ heads }: FromWeightsResult): Row[] =>
  heads.flatMap(({ name, directions }) =>
    directions.flatMap(({ direction, singularValue, share, varianceShare, ends }) =>
      ends.flatMap(({ cosine, texts }, end) =>
        texts.map(({ text, property, coefficient }) => ({
          ...{ component: `${name}@${direction}`, singularValue, share, varianceShare },
          ...{ end: end === 0 ? "nearer" : "other", cosine, text, property, coefficient },
        })),
      ),
    ),
  );

/** The table in the result of each command that has one, a row a line. */
const TABLES: Readonly<Record<string, Rows<unknown>>> = {
  models: table(({ models }: { readonly models: readonly CatalogueEntry[] }) => models),
  verify: table(({ checks }: VerifyResult) => checks),
  explain: table((result: ExplainResult | WordsResult) => {
    if ("words" in result) return wordRows(result);
    return result.texts.flatMap(({ text, similarity, heads, mlps }) => [
      ...mlps.map(({ component, value }) => ({ text, similarity, component, value })),
      ...heads.map(({ name, value }) => ({ text, similarity, component: name, value })),
    ]);
  }),
  segment: table(({ texts }: SegmentResult) =>
    texts.flatMap(({ text, values }) =>
      values.flatMap((cells, row) => cells.map((value, column) => ({ text, row, column, value }))),
    ),
  ),
  calibrate: table(({ calibration: { heads } }: CalibrateResult) => heads),
  neighbors: table(({ neighbors, least, random }: NeighborsResult) =>
    Object.entries({ neighbors, least, random }).flatMap(([list, images]) =>
      images.map((image, i) => ({ list, rank: i + 1, ...image })),
    ),
  ),
  selectivity: table(({ factors, heads, mlps, embedding }: SelectivityResult) =>
    [
      ...heads.map((head) => ({ component: head.name, factors: head.factors })),
      ...mlps,
      { component: "embedding", ...embedding },
    ].flatMap(({ component, factors: of }) =>
      of.map(({ margin, ...measured }, i) => ({
        ...{ component, factor: factors[i].name, ...measured },
        margin: margin?.mean,
        marginLow: margin?.low,
        marginHigh: margin?.high,
        ownFirst: margin?.first,
        ownLast: margin?.last,
      })),
    ),
  ),
  textspan: table((result: TextspanResult | TextspanArraysResult | FromWeightsResult) => {
    if ("weighting" in result) return directionRows(result);
    return "heads" in result
      ? [
          ...result.heads.flatMap((head) => spanRows(head.name, head)),
          ...result.mlps.flatMap((mlp) => spanRows(mlp.component, mlp)),
          ...(result.joint ? spanRows(result.joint.components.set, result.joint) : []),
        ]
      : spanRows(result.contributions.name, result);
  }),
  label: table((result: LabelResult | object) =>
    "heads" in result
      ? result.heads.map(({ name, label, labeller, judge, consistent, descriptions }) => ({
          head: name,
          label,
          labeller: labeller.by,
          judge: judge?.by,
          ccs: judge && consistent.filter(Boolean).length,
          descriptions: descriptions.join("; "),
        }))
      : [result as Row],
  ),
  metrics: table(({ files }: MetricsResult) =>
    files.map(({ model, origin, metrics }) => ({
      model,
      labels: origin.labels.name,
      heads: metrics.heads,
      judged: metrics.judged,
      ...valuesOf(metrics),
    })),
  ),
  referee: table(({ methods }: RefereeResult) =>
    methods.flatMap(({ key, claims }) =>
      claims.map(({ model, name, label, right }) => ({ method: key, model, head: name, label, right })),
    ),
  ),
  study: table(({ models }: StudyResult) =>
    models.flatMap(({ origin, heads }) =>
      heads.map(({ name, label, ccs, sameLabel, totalVariance, descriptions }) => ({
        model: origin.model.name,
        head: name,
        label,
        ccs,
        sameLabel,
        totalVariance,
        descriptions: descriptions.map(({ text }) => text).join("; "),
      })),
    ),
  ),
  compare: table((result: CompareResult | FineTuneResult) =>
    "base" in result
      ? result.heads.map(({ layer: _, head: __, ratios, directions: ___, ...row }) => ({
          ...row,
          ratios: ratios.join(" "),
        }))
      : Object.entries({ a: result.bestOfA, b: result.bestOfB }).flatMap(([best, matches]) =>
          matches.map(({ a, b, similarity, mutual }) => ({
            ...{ of: best, a: a.name, b: b.name, similarity, mutual },
          })),
        ),
  ),
  similar: table(({ heads }: SimilarResult) =>
    heads.map(({ name, similarity, chance, highestByChance, percentile }) => ({
      head: name,
      similarity,
      chance,
      highestByChance,
      percentile,
    })),
  ),
  debias: table(({ groups }: DebiasResult) =>
    groups.map(({ name, before, after, random }) => ({
      group: name,
      images: before.n,
      before: before.share,
      ...withInterval("before", before),
      after: after.share,
      ...withInterval("after", after),
      random: random?.mean,
      randomLow: random?.low,
      randomHigh: random?.high,
    })),
  ),
  "evaluate zero-shot": table(({ whole, rows }: ZeroShotResult) =>
    [
      { kind: "whole", components: undefined, accuracy: whole.all, worst: whole.worst, random: null },
      ...rows,
    ].map(({ kind, components, accuracy, worst, random }) => ({
      kind,
      components: components?.set,
      heads: components && names([...components.heads, ...(components.directions ?? [])]),
      accuracy: accuracy.share,
      ...withInterval("accuracy", accuracy),
      images: accuracy.n,
      worstGroup: worst?.name,
      worst: worst?.share,
      worstLow: worst?.low,
      worstHigh: worst?.high,
      random: random?.mean,
      randomLow: random?.low,
      randomHigh: random?.high,
    })),
  ),
  "evaluate retrieval": table(({ scoring, factors, rows }: RetrievalResult) =>
    rows.flatMap(({ chosenFor, heads, hubness, precisionAtK }) =>
      precisionAtK.map(({ mean, low, high }, i) => ({
        chosenFor,
        heads: heads.map(({ name, weight }) => weightedName(name, weight)).join(" "),
        factor: factors[i].name,
        precisionAtK: mean,
        low,
        high,
        chance: factors[i].chance,
        scoring,
        neverFound: hubness.never,
        mostOften: hubness.most,
        skewness: hubness.skewness,
      })),
    ),
  ),
  registers: table(({ norms }: RegistersResult) => norms.layers),
  "evaluate benchmark": table(({ methods, classes }: BenchmarkResult) =>
    methods.flatMap(({ name, meanIou, pixelAccuracy, classes: ious }) => [
      { method: name, measure: "mIoU", class: null, ...meanIou },
      { method: name, measure: "pixel accuracy", class: null, ...pixelAccuracy },
      ...ious.map((value, c) => ({
        method: name,
        measure: "IoU",
        class: classes[c],
        value,
        low: null,
        high: null,
      })),
    ]),
  ),
  "evaluate maps": table(({ methods, shuffled }: Faithfulness) =>
    methods.flatMap(({ name, measures, sanity }) => [
      ...Object.entries(measures).map(([measure, measured]) => ({ method: name, measure, ...measured })),
      ...(sanity ?? []).map((measured, i) => ({
        ...{ method: name, measure: `correlation, ${shuffled[i]} and above shuffled`, ...measured },
      })),
    ]),
  ),
  "evaluate segmentation": table(({ methods }: SegmentationEvaluation) =>
    methods.flatMap(({ name, measures }) =>
      Object.entries(measures).flatMap(([question, of]) =>
        Object.entries(of).map(([measure, { value, low, high }]) => ({
          method: name,
          question,
          measure,
          value,
          low,
          high,
        })),
      ),
    ),
  ),
};

/** Commands whose result has a table. @param command as it is typed: `evaluate zero-shot` */
export const hasTable = (command: string): boolean => command in TABLES;

/** A result's table as CSV, its origin in comment lines, or as JSON Lines: a row a line. */
export function tableText(command: string, result: object, format: "csv" | "jsonl"): string {
  const rows = TABLES[command](result);
  if (format === "jsonl") return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const { origin } = result as { readonly origin?: Readonly<Record<string, string>> };
  return csvOf(
    origin,
    columns,
    rows.map((row) => columns.map((column) => row[column])),
  );
}
