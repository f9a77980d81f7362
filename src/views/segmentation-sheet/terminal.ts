import type { SegmentationEvaluation } from "../../results/segmentation-evaluation.ts";
import { wrapCells } from "../kit/cells.ts";
import { percentOf } from "../kit/chart.ts";
import { fittedTable } from "../kit/table.ts";
import { counted } from "../kit/text.ts";
import { QUESTIONS, questionTable, sheetNotice } from "./words.ts";

/** How well maps find things, as a table a question for a terminal. */
export function segmentationSheetTerminal(
  result: SegmentationEvaluation,
  { columns }: { readonly columns: number },
): string {
  const { images, size, asked, predictedRight, foreground, leftOut, leastShare } = result;
  const wrap = (text: string) => wrapCells(text, columns);
  const lines = wrap(
    `${counted(images, "image")} at ${size} × ${size} pixels, ${result.occurring} of ${result.classes} classes`,
  );
  const notice = sheetNotice(result);
  if (notice !== null) lines.push(...wrap(`Note: ${notice}`));
  if (leftOut > 0)
    lines.push(
      ...wrap(`left out: ${leftOut} classes that fill less than ${percentOf(leastShare)} of their image`),
    );
  if (result.unmatched.length > 0)
    lines.push(
      ...wrap(
        `without a partner: ${counted(result.unmatched.length, "file")}, the first ${result.unmatched[0]}`,
      ),
    );
  for (const { path, code, message } of result.rejected)
    lines.push(...wrap(`rejected: ${path} (${code}: ${message})`));
  for (const [protocol, question] of QUESTIONS) {
    const right = protocol === "predicted" ? `, ${percentOf(predictedRight)} of them right` : "";
    const pairs = `${counted(asked[protocol], "pair")} of image and class${right}`;
    const { columns: names, rows } = questionTable(result, protocol);
    lines.push(
      "",
      ...wrap(`${question}: ${pairs}; foreground ${percentOf(foreground[protocol])} of the pixels`),
    );
    lines.push("", ...fittedTable(names, rows, columns));
  }
  const reading = `Per cent, with 95\u00a0% intervals over images (bootstrap, ${result.draws} resamples). A map is clipped at 0, brought to [0, 1] and cut at its mean.`;
  return `${[...lines, "", ...wrap(reading)].join("\n")}\n`;
}
