import type { Faithfulness } from "../../results/faithfulness.ts";
import { htmlPage } from "../kit/html.ts";
import { originInWords } from "../kit/origin.ts";
import { tableHtml } from "../kit/table.ts";
import { escapeXml } from "../kit/text.ts";
import {
  askedInWords,
  faithfulnessNotice,
  faithfulnessTable,
  faithfulnessTitle,
  leadersInWords,
  sanityTable,
} from "./words.ts";

/** The evaluation as one HTML page. */
export function faithfulnessHtml(result: Faithfulness): string {
  const notice = faithfulnessNotice(result);
  const sanity = sanityTable(result);
  const paragraph = (text: string) => `<p>${escapeXml(text)}</p>`;
  const title = escapeXml(faithfulnessTitle(result));
  return htmlPage(
    title,
    `<h2>${title}</h2>
${notice === null ? "" : paragraph(notice)}
${paragraph(askedInWords(result))}
${tableHtml(faithfulnessTable(result))}
<ul>${leadersInWords(result)
      .map((line) => `<li>${escapeXml(line)}</li>`)
      .join("")}</ul>
${sanity === null ? "" : `<h2>Sanity</h2>\n${tableHtml(sanity)}`}
${paragraph(originInWords(result.origin))}`,
    "lists",
  );
}
