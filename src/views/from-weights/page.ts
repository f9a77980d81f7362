import type { FromWeightsResult, WrittenHead } from "../../results/from-weights.ts";
import { figure, htmlPage } from "../kit/html.ts";
import { htmlTable, sideBySide } from "../kit/table.ts";
import { escapeXml } from "../kit/text.ts";
import { fromWeightsSvg } from "./svg.ts";
import { nameOf, sumOf, titleOf, verdictOf } from "./words.ts";

/**
 * The picture as one HTML page that needs nothing beside it, with every head's directions in tables.
 *
 * @example
 * ```ts
 * import { openModel, parseHeads } from "clip-interpret";
 * import { defaultPool, describeFromWeights, loadPool } from "clip-interpret/labeling";
 * import { fromWeightsHtml } from "clip-interpret/views";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const pool = await loadPool(defaultPool(model.name));
 * const described = await describeFromWeights(model, pool, { set: parseHeads(model, "L3.H1") });
 * console.log(fromWeightsHtml(described).slice(0, 15)); // → <!doctype html>
 * ```
 */
export function fromWeightsHtml(result: FromWeightsResult): string {
  const title = titleOf(result, 120, (part) => part.length);
  return htmlPage(
    escapeXml(title),
    `${figure(fromWeightsSvg(result), "Picture of the heads; the tables below hold their directions")}
<h2>All directions</h2>
${sideBySide(
  result.heads.map((head) => headTable(result, head)),
  "All directions",
)}`,
    "lists",
  );
}

function headTable(result: FromWeightsResult, head: WrittenHead): string {
  const tags = head.texts
    .slice(0, 5)
    .map(({ text }) => escapeXml(text))
    .join(", ");
  const whole = tags === "" ? "" : `; in sum: ${tags}`;
  return htmlTable({
    caption: `${escapeXml(head.name)} <small>${escapeXml(verdictOf(head, result))}${whole}</small>`,
    columns: [
      "direction",
      "#singular value",
      "#share %",
      ...(result.index ? ["#variance %"] : []),
      "#cosine",
      "texts",
    ],
    rows: head.directions.flatMap((direction) =>
      direction.ends.map((end, e) => [
        e === 0 ? escapeXml(nameOf(head, direction)) : "↔",
        e === 0 ? direction.singularValue.toPrecision(4) : "",
        e === 0 ? (100 * direction.share).toFixed(1) : "",
        ...(result.index ? [e === 0 ? (100 * (direction.varianceShare ?? 0)).toFixed(1) : ""] : []),
        end.cosine.toFixed(2),
        `<bdi>${escapeXml(sumOf(end))}</bdi>`,
      ]),
    ),
  });
}
