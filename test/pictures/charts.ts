import { type DotRow, dotChart, type LineChart, lineChart } from "../../src/views/kit/chart.ts";
import { svgDocument } from "../../src/views/kit/svg.ts";
import type { Gallery } from "./picture.ts";

const lines: LineChart = {
  ...{ title: "Accuracy", xTitle: "steps", from: 0, width: 420, height: 180 },
  lines: [{ name: "rising", series: 0, values: [0.1, 0.3, 0.45, 0.9] }],
  band: [],
  bandName: "random draws",
};
const BAND = [0.2, 0.35, 0.4, 0.7].map((mean) => ({ low: mean - 0.15, mean, high: mean + 0.05 }));
const line = (chart: Partial<LineChart>) => svgDocument(lineChart({ ...lines, ...chart }), "lines");

const interval = (share: number) => ({ share, low: share - 0.1, high: share + 0.04 });
const rows: readonly DotRow[] = [
  { name: "first", value: interval(0.2), note: "20.0 %", head: "Under one head" },
  { name: "better than before", value: interval(0.8), before: { share: 0.35 }, note: "35.0 % → 80.0 %" },
  { name: "worse than before", value: interval(0.3), before: { share: 0.6 }, note: "60.0 % → 30.0 %" },
  {
    ...{ name: "above random", value: interval(0.9), note: "90.0 %", head: "Under another" },
    random: { low: 0.3, mean: 0.35, high: 0.6 },
  },
  {
    ...{ name: "below random", value: interval(0.15), note: "15.0 %" },
    random: { low: 0.7, mean: 0.8, high: 0.85 },
  },
  { name: "random all alike", value: interval(0.5), note: "", random: { low: 0.7, mean: 0.7, high: 0.7 } },
  { name: `a name that is far too long ${"x".repeat(80)}`, value: interval(0.4), note: "y".repeat(90) },
];
const dots = (of: readonly DotRow[]) =>
  svgDocument(dotChart(of, { width: 620, names: 150, notes: 130 }), "dots");

export const charts: Gallery = {
  title: "Charts",
  pictures: [
    { name: "charts/line.svg", shows: "one series that rises from 10 % to 90 %", draw: () => line({}) },
    {
      name: "charts/lines.svg",
      shows:
        "six series, each with its colour and dash (the sixth begins anew), two of them marked with rings",
      draw: () =>
        line({
          lines: Array.from({ length: 6 }, (_, series) => ({
            ...{ name: `series ${series}`, series },
            values: [0.9, 0.8 - series / 10, 0.7 - series / 10],
            marked: series === 1 ? [2] : series === 2 ? [0, 2] : [],
          })),
        }),
    },
    {
      name: "charts/band.svg",
      shows: "a band around its mean, nearer to the top edge; a dotted level at 25 %",
      draw: () => line({ band: BAND, level: { name: "chance", value: 0.25 } }),
    },
    {
      name: "charts/band-of-one.svg",
      shows: "a band of a single point is a bar",
      draw: () => line({ band: [null, BAND[1], null, null] }),
    },
    {
      name: "charts/missing.svg",
      shows: "values that are missing have no dot; a series of none has no line; the band begins later",
      draw: () =>
        line({
          lines: [
            { name: "with a gap", series: 0, values: [0.2, null, 0.5, 0.6], marked: [1, 3] },
            { name: "all missing", series: 1, values: [null, null] },
          ],
          band: [null, null, BAND[2], BAND[3]],
        }),
    },
    {
      name: "charts/point.svg",
      shows: "a series of one point",
      draw: () => line({ lines: [{ name: "one", series: 0, values: [0.4] }] }),
    },
    ...[13, 14].map((steps) => ({
      name: `charts/steps-${steps}.svg` as const,
      shows: `${steps} steps, ${steps === 13 ? "each of them written" : "every second written"}`,
      draw: () =>
        line({
          lines: [{ name: "line", series: 0, values: Array.from({ length: steps }, (_, i) => i / steps) }],
        }),
    })),
    {
      name: "charts/many-steps.svg",
      shows: "30 steps counted from 1, of which every third is written; a name too long for the key",
      draw: () =>
        line({
          from: 1,
          lines: [
            {
              ...{ name: "long ".repeat(40), series: 0 },
              values: Array.from({ length: 30 }, (_, i) => i / 29),
            },
          ],
        }),
    },
    {
      name: "charts/dots.svg",
      shows: "intervals that reach further down than up, before and after, random sets, long names cut",
      draw: () => dots(rows),
    },
    { name: "charts/no-dots.svg", shows: "an axis without rows", draw: () => dots([]) },
  ],
};
