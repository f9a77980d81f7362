import { htmlPage } from "../kit/html.ts";
import { escapeXml } from "../kit/text.ts";
import {
  fitting,
  hasDescriptions,
  introduction,
  type LabelListInput,
  type LabelledHead,
  markOf,
} from "./words.ts";

const SHARES =
  "Per cent: the share of the head’s variance over images that a text explains beyond those before it.";

/** Head labels as one HTML page that needs nothing beside it. */
export function labelListHtml(input: LabelListInput): string {
  const title = `What each head of ${escapeXml(input.model)} looks for`;
  const described = hasDescriptions(input);
  const columns = [
    { name: "head", cell: ({ head }: LabelledHead) => `<th scope="row">${escapeXml(head)}</th>` },
    { name: "label", cell: ({ label }: LabelledHead) => `<td><b><bdi>${escapeXml(label)}</bdi></b></td>` },
    ...(described
      ? [{ name: "fit", cell: (head: LabelledHead) => `<td class="n">${fitting(head)}</td>` }]
      : []),
    ...(input.labelledBy.length > 1
      ? [
          {
            name: "labelled by",
            cell: (head: LabelledHead) => `<td><bdi>${escapeXml(head.labelledBy)}</bdi></td>`,
          },
        ]
      : []),
    ...(described ? [{ name: "descriptions", cell: descriptionsCell }] : []),
  ];
  const heads = columns.map(
    ({ name }) => `<th scope="col"${name === "fit" ? ' class="n"' : ""}>${name}</th>`,
  );
  const rows = input.heads.map((head) => `<tr>${columns.map(({ cell }) => cell(head)).join("")}</tr>`);
  return htmlPage(
    title,
    `<h2>${title}</h2>
${paragraphs(input, described)}
<div class="wide" tabindex="0" role="region" aria-label="Labels">
<table>
<thead><tr>${heads.join("")}</tr></thead>
<tbody>${rows.join("\n")}</tbody></table>
</div>
${contradictions(input)}`,
    "lists",
  );
}

function paragraphs(input: LabelListInput, described: boolean): string {
  const { notice, unlabelled } = input;
  const sentences = [
    ...introduction(input).map(escapeXml),
    ...(described ? [SHARES] : []),
    ...(unlabelled.length > 0 ? [`No label: ${escapeXml(unlabelled.join(", "))}.`] : []),
  ];
  const first = notice === undefined ? "" : `<p><b>Note:</b> ${escapeXml(notice)}</p>\n`;
  return first + sentences.map((sentence) => `<p>${sentence}</p>`).join("\n");
}

function descriptionsCell({ descriptions }: LabelledHead): string {
  const texts = descriptions.map(({ text, fits, explainedVariance, tag }) => {
    const remarks = [
      ...(explainedVariance === null ? [] : [`${(100 * explainedVariance).toFixed(1)} %`]),
      ...(tag === null ? [] : [escapeXml(tag)]),
    ];
    const small = remarks.length === 0 ? "" : ` <small class="chance">${remarks.join(", ")}</small>`;
    return `<div>${markOf(fits)} <bdi>${escapeXml(text)}</bdi>${small}</div>`;
  });
  return `<td>${texts.length === 0 ? "—" : texts.join("")}</td>`;
}

function contradictions({ inconsistencies }: LabelListInput): string {
  if (inconsistencies.length === 0) return "";
  const items = inconsistencies.map((sentence) => `<li>${escapeXml(sentence)}</li>`);
  return `<h2>Labels that contradict each other</h2>
<ul>
${items.join("\n")}
</ul>`;
}
