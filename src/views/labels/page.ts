import type { LabelledHead, LabelResult } from "../../results/label.ts";
import { htmlPage } from "../kit/html.ts";
import { escapeXml } from "../kit/text.ts";
import {
  contradiction,
  fitting,
  hasDescriptions,
  introduction,
  labellersOf,
  markOf,
  remarks,
} from "./words.ts";

const SHARES =
  "Per cent: the share of the head’s variance over images that a text explains beyond those before it.";

/** Head labels as one HTML page that needs nothing beside it. */
export function labelsHtml(result: LabelResult): string {
  const title = `What each head of ${escapeXml(result.model)} looks for`;
  const described = hasDescriptions(result);
  const columns = [
    { name: "head", cell: ({ name }: LabelledHead) => `<th scope="row">${escapeXml(name)}</th>` },
    { name: "label", cell: ({ label }: LabelledHead) => `<td><b><bdi>${escapeXml(label)}</bdi></b></td>` },
    ...(described
      ? [{ name: "fit", cell: (head: LabelledHead) => `<td class="n">${fitting(head)}</td>` }]
      : []),
    ...(labellersOf(result).length > 1
      ? [
          {
            name: "labelled by",
            cell: (head: LabelledHead) => `<td><bdi>${escapeXml(head.labeller.by)}</bdi></td>`,
          },
        ]
      : []),
    ...(described ? [{ name: "descriptions", cell: descriptionsCell }] : []),
  ];
  const heads = columns.map(
    ({ name }) => `<th scope="col"${name === "fit" ? ' class="n"' : ""}>${name}</th>`,
  );
  const rows = result.heads.map((head) => `<tr>${columns.map(({ cell }) => cell(head)).join("")}</tr>`);
  return htmlPage(
    title,
    `<h2>${title}</h2>
${paragraphs(result, described)}
<div class="wide" tabindex="0" role="region" aria-label="Labels">
<table>
<thead><tr>${heads.join("")}</tr></thead>
<tbody>${rows.join("\n")}</tbody></table>
</div>
${contradictions(result)}`,
    "lists",
  );
}

function paragraphs(result: LabelResult, described: boolean): string {
  const { origin, unlabelled } = result;
  const notice = origin.model?.notice ?? null;
  const sentences = [
    ...introduction(result).map(escapeXml),
    ...(described ? [SHARES] : []),
    ...(unlabelled.length > 0
      ? [`No label: ${escapeXml(unlabelled.map(({ name }) => name).join(", "))}.`]
      : []),
    ...remarks(result).map(escapeXml),
  ];
  const first = notice === null ? "" : `<p><b>Note:</b> ${escapeXml(notice)}</p>\n`;
  return first + sentences.map((sentence) => `<p>${sentence}</p>`).join("\n");
}

function descriptionsCell(head: LabelledHead): string {
  const texts = head.descriptions.map((text, i) => {
    const [share, tag] = [head.explainedVariance[i], head.tags[i]];
    const notes = [
      ...(share === undefined ? [] : [`${(100 * share).toFixed(1)} %`]),
      ...(tag ? [escapeXml(tag)] : []),
    ];
    const small = notes.length === 0 ? "" : ` <small class="chance">${notes.join(", ")}</small>`;
    return `<div>${markOf(head, i)} <bdi>${escapeXml(text)}</bdi>${small}</div>`;
  });
  return `<td>${texts.length === 0 ? "—" : texts.join("")}</td>`;
}

function contradictions({ inconsistencies }: LabelResult): string {
  if (inconsistencies.length === 0) return "";
  const items = inconsistencies.map((found) => `<li>${escapeXml(contradiction(found))}</li>`);
  return `<h2>Labels that contradict each other</h2>
<ul>
${items.join("\n")}
</ul>`;
}
