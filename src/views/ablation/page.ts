import type { ZeroShotResult } from "../../results/zero-shot.ts";
import { figure, htmlPage } from "../kit/html.ts";
import { tableHtml } from "../kit/table.ts";
import { escapeXml } from "../kit/text.ts";
import { ablationSvg } from "./svg.ts";
import { ablationTable, forwardTable, insideWords } from "./words.ts";

/**
 * Accuracy with and without components as one HTML page: the picture, with its numbers as tables.
 *
 * @example
 * ```ts
 * import { readFile, writeFile } from "node:fs/promises";
 * import { evaluateZeroShot, openIndex, openModel, parseHeads } from "clip-interpret";
 * import { defaultClasses, prepareZeroShot } from "clip-interpret/evaluation";
 * import { ablationHtml } from "clip-interpret/views";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await openIndex(model, "scenes.index");
 * const problem = await prepareZeroShot(model, index, defaultClasses(index, "background"));
 * const result = await evaluateZeroShot(model, problem, [parseHeads(model, "L1.H0")], { random: 10, layers: false });
 * await writeFile("out.html", ablationHtml(result));
 * console.log((await readFile("out.html", "utf8")).slice(0, 15)); // → <!doctype html>
 * ```
 */
export function ablationHtml(result: ZeroShotResult): string {
  const { origin, forward } = result;
  const label = "Picture of the accuracies; the tables below hold its numbers";
  const inside = forward ? `Heads taken away ${insideWords(forward)}` : "";
  return htmlPage(
    `Zero-shot accuracy of ${escapeXml(origin.model.name)} without components`,
    `${figure(ablationSvg(result), label)}
<h2>Accuracies</h2>
${tableHtml({ caption: PER_CENT, ...ablationTable(result) })}
${forward ? `<h2>${escapeXml(inside)}</h2>\n${tableHtml({ caption: PER_CENT, ...forwardTable(forward) })}` : ""}`,
    "lists",
  );
}

const PER_CENT =
  "per cent, with 95\u00a0% intervals; no higher: random sets without which accuracy is no higher";
