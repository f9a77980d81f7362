import type { SegmentationEvaluation } from "../../results/segmentation-evaluation.ts";
import { figure, htmlPage } from "../kit/html.ts";
import { tableHtml } from "../kit/table.ts";
import { escapeXml } from "../kit/text.ts";
import { type SheetPictures, segmentationSheetSvg } from "./svg.ts";
import { sheetTable, sheetTitle } from "./words.ts";

/** The sheet of an evaluation as one HTML page, with its numbers as a table. */
export function segmentationSheetHtml(result: SegmentationEvaluation, pictures: SheetPictures): string {
  const svg = segmentationSheetSvg(result, pictures);
  return htmlPage(
    escapeXml(sheetTitle(result.origin.model.name, result)),
    `${figure(svg, "Picture of the evaluation; the table below holds its numbers")}
<h2>Numbers</h2>
${tableHtml({ caption: "per cent, with 95\u00a0% intervals", ...sheetTable(result) })}`,
    "lists",
  );
}
