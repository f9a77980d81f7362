import type { RefereeResult } from "../../results/referee.ts";
import { type DotRow, dotChart } from "../kit/chart.ts";
import { paragraph, stack, svgDocument, textLine } from "../kit/svg.ts";
import { percent } from "../study/words.ts";
import { titleOf } from "./words.ts";

const [WIDTH, NAMES, NOTES] = [860, 250, 210];

/**
 * How often every method is right, with its range over trainings and what chance within layers gives.
 *
 * @example
 * ```ts
 * import { runReferee } from "clip-interpret/evaluation";
 * import { refereeSvg, svgToPng } from "clip-interpret/views";
 *
 * const result = await runReferee({
 *   ...{ models: ["emoji-4x128-p8"], images: "scenes", stepsFolder: "out/steps" },
 *   ...{ heads: "L3", halvings: 1, permutations: 20 },
 * });
 * const png = await svgToPng(refereeSvg(result), { width: 400 });
 * console.log(Buffer.from(png).toString("latin1", 1, 4)); // → PNG
 * ```
 */
export function refereeSvg(result: RefereeResult): string {
  const rows = result.methods.flatMap(({ name, accuracy }): DotRow[] => {
    if (accuracy === null) return [];
    const { share, right, heads, layered, trainings } = accuracy;
    const range = trainings ?? { low: share, high: share };
    return [
      {
        ...{ name, random: layered },
        value: { share, low: Math.max(0, range.low), high: Math.min(1, range.high) },
        note: `${right} of ${heads} (${percent(share)})`,
      },
    ];
  });
  const title = titleOf(result);
  const { label, right, heads } = result.constant;
  const key = `Dot: share of heads that are labelled with the factor which truly explains most. Line: 95 % over trainings (Student’s t). Grey: the same labels dealt out again within layers. Always saying “${label}” is right for ${right} of ${heads}.`;
  return svgDocument(
    stack(WIDTH, [
      [0, { width: WIDTH, height: 20, body: textLine(0, 15, title, { size: 15, bold: true }) }],
      [10, dotChart(rows, { width: WIDTH, names: NAMES, notes: NOTES })],
      [12, paragraph(key, WIDTH, { size: 11, tone: "muted" })],
    ]),
    title,
    result.origin,
    12,
  );
}
