import type { AblationRow, ZeroShotResult } from "../../results/zero-shot.ts";
import { type Band, type DotRow, dotChart, lineChart, percentOf } from "../kit/chart.ts";
import { at, banner, type Drawing, paragraph, stack, svgDocument, textLine } from "../kit/svg.ts";
import { counted, shorten, textWidth } from "../kit/text.ts";
import { ablationCaption, ablationKey, ablationTitle, insideWords, noteOf } from "./words.ts";

const WIDTH = 1000;

/**
 * Curves by layer, and a line of dots for every other row, as an SVG document.
 *
 * @example
 * ```ts
 * import { evaluateZeroShot, openIndex, openModel, parseHeads } from "clip-interpret";
 * import { defaultClasses, prepareZeroShot } from "clip-interpret/evaluation";
 * import { ablationSvg } from "clip-interpret/views";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await openIndex(model, "scenes.index");
 * const problem = await prepareZeroShot(model, index, defaultClasses(index, "background"));
 * const result = await evaluateZeroShot(model, problem, [parseHeads(model, "L1.H0")], { random: 10, layers: false });
 * const svg = ablationSvg(result);
 * console.log(svg.slice(0, 4)); // → <svg
 * ```
 */
export function ablationSvg(result: ZeroShotResult): string {
  const { origin } = result;
  const { name, notice } = origin.model;
  const widthOf = (part: string) => textWidth(part, 20, true);
  const title = ablationTitle(shorten(name, WIDTH - widthOf(ablationTitle("")), widthOf));
  const caption = `${ablationCaption(result)} ${ablationKey(result)}`;
  const curves = layerCurves(result);
  const blocks: (readonly [number, Drawing])[] = [
    [0, { width: WIDTH, height: 24, body: textLine(0, 20, title, { size: 20, bold: true }) }],
    ...(notice === null ? [] : [[16, banner(notice, WIDTH)] as const]),
    [14, paragraph(caption, WIDTH, { size: 13 })],
    ...(curves ? [[20, curves] as const] : []),
    [26, dotChart(dotRows(result), { width: WIDTH, names: 250, notes: 250 })],
  ];
  return svgDocument(stack(WIDTH, blocks), `${title}. ${caption}`, origin);
}

/** The base paper's two curves; undefined without rows by layer. */
function layerCurves({ rows, whole, chance }: ZeroShotResult): Drawing | undefined {
  const byLayer = rows.filter(({ kind }) => kind === "layer");
  const heads = rows.find(({ kind, components }) => kind === "all" && components.heads.length > 0);
  const mlps = rows.find(({ kind, components }) => kind === "all" && components.heads.length === 0);
  if (byLayer.length === 0 || !heads || !mlps) return undefined;
  const asBand = (row: AblationRow | undefined) => row?.random ?? null;
  const upTo = [byLayer[0], ...rows.filter(({ kind }) => kind === "up-to"), heads];
  const kept = [...rows.filter(({ kind }) => kind === "kept"), mlps];
  const common = { width: 480, height: 190, level: { name: "chance", value: chance } };
  const first = lineChart({
    ...common,
    title: "Heads replaced from the first layer on",
    xTitle: "layers whose heads are replaced",
    from: 0,
    lines: [
      {
        name: "heads of the first layers",
        series: 0,
        values: [whole.all, ...upTo.map(({ accuracy }) => accuracy)].map(({ share }) => share),
      },
    ],
    band: [null, ...upTo.map(asBand)] satisfies Band,
    bandName: "as many heads at random",
  });
  const second = lineChart({
    ...common,
    title: "Nothing kept but the heads of the last layers",
    xTitle: "last layers whose heads are kept; every MLP is replaced",
    from: 1,
    lines: [
      { name: "heads of the last layers", series: 0, values: kept.map(({ accuracy }) => accuracy.share) },
    ],
    band: kept.map(asBand),
    bandName: "as many heads at random kept",
  });
  return {
    width: WIDTH,
    height: Math.max(first.height, second.height),
    body: first.body + at(WIDTH - 480, 0, second),
  };
}

function dotRows({ rows, whole, forward }: ZeroShotResult): DotRow[] {
  const dot = ({
    components,
    accuracy,
    random,
  }: Pick<AblationRow, "components" | "accuracy" | "random">) => ({
    ...{ name: components.set, value: accuracy, random, note: noteOf(accuracy, random) },
  });
  const nothing = (value: typeof whole.all, head: string) => ({
    ...{ name: "nothing", value, note: percentOf(value.share), head },
  });
  const dots: DotRow[] = [
    nothing(whole.all, "Direct effect taken away of"),
    ...rows.filter(({ kind }) => ["set", "all", "layer"].includes(kind)).map(dot),
  ];
  if (!forward) return dots;
  const inside = `Taken away ${insideWords(forward)}; ${counted(forward.images, "image")}`;
  return [...dots, nothing(forward.whole.accuracy, inside), ...forward.rows.map(dot)];
}
