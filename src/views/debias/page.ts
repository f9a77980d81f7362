import type { DebiasResult } from "../../results/debias.ts";
import { figure, htmlPage } from "../kit/html.ts";
import { tableHtml } from "../kit/table.ts";
import { escapeXml } from "../kit/text.ts";
import { debiasSvg } from "./svg.ts";
import {
  debiasTitle,
  forwardTable,
  forwardTitle,
  groupsInOrder,
  groupTable,
  selectionTable,
} from "./words.ts";

const PER_CENT = "per cent, with 95\u00a0% intervals";

/** The picture of a removed cue and its numbers as one HTML page. */
export function debiasHtml(result: DebiasResult): string {
  const label = "Picture of what was removed; the tables below hold its numbers";
  const forward = result.forward.map(
    (study) =>
      `<h2>${escapeXml(forwardTitle(study))}</h2>\n${tableHtml({ caption: PER_CENT, ...forwardTable(study) })}`,
  );
  return htmlPage(
    escapeXml(debiasTitle(result)),
    `${figure(debiasSvg(result), label)}
<h2>Ways of choosing heads</h2>
${tableHtml({ caption: `${PER_CENT}; * the way that was used`, ...selectionTable(result) })}
<h2>Groups</h2>
${tableHtml({ caption: PER_CENT, ...groupTable(groupsInOrder(result)) })}
${forward.join("\n")}`,
    "lists",
  );
}
