import type { DebiasResult, Robustness } from "../../results/debias.ts";
import { type DotRow, dotChart, lineChart, percentOf } from "../kit/chart.ts";
import { apart } from "../kit/colour.ts";
import {
  at,
  banner,
  type Drawing,
  paragraph,
  round,
  stack,
  svgDocument,
  TONES,
  textLine,
} from "../kit/svg.ts";
import { counted, escapeXml, formatSigned, shorten, textWidth } from "../kit/text.ts";
import {
  BASELINE_WORDS,
  debiasCaption,
  debiasHeadline,
  debiasTitle,
  groupsInOrder,
  ringWords,
} from "./words.ts";

const WIDTH = 1000;

/**
 * Groups before and after, curves over the number of heads, and which components carry the cue: an SVG document.
 *
 * @example
 * ```ts
 * import { debias, openIndex, openModel } from "clip-interpret";
 * import { defaultClasses, prepareZeroShot, splitByCue } from "clip-interpret/evaluation";
 * import { debiasSvg } from "clip-interpret/views";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await openIndex(model, "scenes.index");
 * const classes = defaultClasses(index, "style");
 * const problem = await prepareZeroShot(model, index, classes, { groupBy: ["count"] });
 * const result = await debias(model, splitByCue(problem, "count"), { random: 10, maxHeads: 3 });
 * const svg = debiasSvg(result);
 * console.log(svg.slice(0, 4)); // → <svg
 * ```
 */
export function debiasSvg(result: DebiasResult): string {
  const { notice } = result.origin.model;
  const title = shorten(debiasTitle(result), WIDTH, (part) => textWidth(part, 20, true));
  const blocks: (readonly [number, Drawing])[] = [
    [0, { width: WIDTH, height: 24, body: textLine(0, 20, title, { size: 20, bold: true }) }],
    ...(notice === null ? [] : [[16, banner(notice, WIDTH)] as const]),
    [14, paragraph(debiasHeadline(result), WIDTH, { size: 14, bold: true })],
    [4, paragraph(debiasCaption(result), WIDTH, { size: 13 })],
    [22, curves(result)],
    ...(result.baselines.length === 0 ? [] : [[26, baselineDots(result)] as const]),
    [26, groupDots(result)],
    [26, gapBars(result)],
  ];
  return svgDocument(stack(WIDTH, blocks), `${title}. ${debiasHeadline(result)}`, result.origin);
}

/** Worst-group and average accuracy over the number of heads, one line a selection. */
function curves(result: DebiasResult): Drawing {
  const { selections, before, randomSteps } = result;
  const chart = (key: "worst" | "average", title: string) =>
    lineChart({
      ...{ title, xTitle: "heads ablated", from: 0, width: 480, height: 210 },
      lines: selections.map(({ selection, steps, chosen }, series) => ({
        name: `by ${selection}`,
        series,
        values: [before.test[key].share, ...steps.map(({ test }) => test[key].share)],
        marked: [chosen.length],
      })),
      band: [null, ...randomSteps.map((step) => step?.[key] ?? null)],
      bandName: "heads drawn at random from all layers: mean and 95\u00a0% of draws",
    });
  const worst = chart("worst", "Worst-group accuracy");
  const average = chart("average", "Average accuracy");
  const note = paragraph(ringWords(result), 480, { size: 11, tone: "muted" });
  return {
    width: WIDTH,
    height: Math.max(worst.height + note.height, average.height),
    body: worst.body + at(0, worst.height + 2, note) + at(WIDTH - 480, 0, average),
  };
}

/** Worst-group accuracy by the heads and by ways that know of none. */
function baselineDots({ baselines, selections, used, before }: DebiasResult): Drawing {
  const row = (name: string, { average, worst }: Robustness): DotRow => ({
    ...{ name, before: before.test.worst, value: worst },
    note: `worst ${percentOf(worst.share)}, average ${percentOf(average.share)}`,
  });
  const rows = [
    row("the heads", selections[used].outcome.test),
    ...baselines.map(({ baseline, outcome }) => row(baseline, outcome.test)),
  ];
  const heading = textLine(0, 13, "Worst-group accuracy beside ways that know of no heads", {
    size: 13,
    bold: true,
  });
  const note = paragraph(BASELINE_WORDS, WIDTH, { size: 11, tone: "muted" });
  const dots = dotChart(rows, { width: WIDTH, names: 190, notes: 210 });
  const top = 24 + note.height;
  return { width: WIDTH, height: top + dots.height, body: heading + at(0, 20, note) + at(0, top, dots) };
}

/** Every group, the worst before on top. */
function groupDots(result: DebiasResult): Drawing {
  const { groups, selections, used } = result;
  const rows = groupsInOrder(result).map(
    ({ name, before, after, random }): DotRow => ({
      ...{ name, before, value: after, random },
      note: `${percentOf(before.share)} → ${percentOf(after.share)} (n ${after.n})`,
    }),
  );
  const controls = selections[used].controls[0];
  const draws = groups[0]?.random?.draws ?? 0;
  const key =
    `<circle class="paper" cx="8" cy="28" r="4" fill="${TONES.paper}" stroke="${apart(1).colour}" stroke-width="2"/>` +
    textLine(20, 32, "before", { size: 11 }) +
    `<circle cx="84" cy="28" r="4" fill="${apart(0).colour}"/>` +
    textLine(96, 32, "after, with its 95 % interval", { size: 11 }) +
    (draws > 0 && controls
      ? `<rect x="278" y="22" width="24" height="12" fill="#8c959f" opacity="0.25"/><path d="M290 22v12" stroke="#8c959f" stroke-width="1.5"/>${textLine(310, 32, `${counted(draws, "set")} of as many random heads: mean and 95\u00a0% of sets`, { size: 11 })}`
      : "");
  const heading = textLine(0, 13, "Groups, the worst before on top", { size: 13, bold: true });
  const dots = dotChart(rows, { width: WIDTH, names: 190, notes: 210 });
  return { width: WIDTH, height: 44 + dots.height, body: heading + key + at(0, 44, dots) };
}

/** Bars at most in a row of the gap's picture; with more heads the strongest are shown. */
const MOST_BARS = 40;

/** What each component adds to the gap. */
function gapBars({ gap, selections, used }: DebiasResult): Drawing {
  const chosen = new Set(selections[used].chosen.map(({ name }) => name));
  const { heads } = gap;
  const shown =
    heads.length <= MOST_BARS
      ? heads
      : [...heads].sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, MOST_BARS);
  const bars = [...shown, { name: "MLPs", value: gap.mlps }, { name: "whole", value: gap.whole }];
  const most = Math.max(...bars.map(({ value }) => Math.max(0, value)), 1e-12);
  const least = Math.min(...bars.map(({ value }) => Math.min(0, value)));
  const [TOP, HEIGHT] = [66, 120];
  const y = (value: number) => TOP + ((most - value) / (most - least)) * HEIGHT;
  const step = WIDTH / bars.length;
  let body = textLine(0, 13, "Who carries the cue", { size: 13, bold: true });
  const meaning = `What each component adds to a class’s margin where the cue is on its side, less where it is against it (validation images, cosine). All add up to the whole model’s. Dark: the heads that were ablated.${heads.length > MOST_BARS ? ` The ${MOST_BARS} largest of ${heads.length} heads are shown.` : ""}`;
  body += at(0, 20, paragraph(meaning, WIDTH, { size: 11, tone: "muted" }));
  body += `<path class="tick" d="M0 ${round(y(0))}H${WIDTH}" stroke="${TONES.muted}"/>`;
  for (const [i, { name, value }] of bars.entries()) {
    const [from, to] = [Math.min(y(value), y(0)), Math.max(y(value), y(0))];
    const fill = chosen.has(name) ? apart(0).colour : i >= shown.length ? "#59636e" : "#a8c5da";
    const width = Math.min(36, step * 0.7);
    const x = (i + 0.5) * step;
    body += `<rect x="${round(x - width / 2)}" y="${round(from)}" width="${round(width)}" height="${round(Math.max(0.5, to - from))}" fill="${fill}"><title>${escapeXml(name)}: ${formatSigned(value, 4)}</title></rect>`;
    if (step >= 38) {
      const label = value >= 0 ? y(value) - 4 : y(value) + 12;
      body += textLine(x, label, formatSigned(value, 3), { size: 10, anchor: "middle", tone: "muted" });
    }
    body +=
      step >= 38
        ? textLine(x, TOP + HEIGHT + 30, name, { size: 10, anchor: "middle" })
        : `<g transform="translate(${round(x + 3)} ${TOP + HEIGHT + 24}) rotate(-60)">${textLine(0, 0, name, { size: 9, anchor: "end" })}</g>`;
  }
  return { width: WIDTH, height: TOP + HEIGHT + (step >= 38 ? 36 : 60), body };
}
