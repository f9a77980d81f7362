import type { FineTuneResult } from "../../results/fine-tune.ts";
import { figure, htmlPage } from "../kit/html.ts";
import { tableHtml } from "../kit/table.ts";
import { escapeXml } from "../kit/text.ts";
import { fineTuneSvg } from "./svg.ts";
import { tableOf, titleOf } from "./words.ts";

/**
 * The picture as one HTML page that needs nothing beside it, with a table of all heads that changed.
 *
 * @example
 * ```ts
 * import { openModel } from "clip-interpret";
 * import { compareFineTune } from "clip-interpret/evaluation";
 * import { fineTuneHtml } from "clip-interpret/views";
 *
 * const base = await openModel("emoji-4x128-p16");
 * const page = fineTuneHtml(await compareFineTune(base, await openModel("emoji-4x128-p16-s2")));
 * console.log(page.slice(0, 15)); // → <!doctype html>
 * ```
 */
export const fineTuneHtml = (result: FineTuneResult): string =>
  htmlPage(
    escapeXml(titleOf(result)),
    `${figure(fineTuneSvg(result), "Picture of the changes; the table below holds their numbers")}
${tableHtml(tableOf(result))}`,
    "lists",
  );
