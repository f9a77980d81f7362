import type { ZeroShotResult } from "../../results/zero-shot.ts";
import { figure, htmlPage } from "../kit/html.ts";
import { tableHtml } from "../kit/table.ts";
import { escapeXml } from "../kit/text.ts";
import { ablationSvg } from "./svg.ts";
import { ablationTable, forwardTable, insideWords } from "./words.ts";

/** Accuracy with and without components as one HTML page: the picture, with its numbers as tables. */
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
