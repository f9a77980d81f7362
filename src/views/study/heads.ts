import type { StudyHead, StudyModel } from "../../results/study.ts";
import { escapeXml, shorten } from "../kit/text.ts";
import { number, percent } from "./words.ts";

/** Small pictures of images, by their SHA-256; those that could not be read are missing. */
export type Thumbnails = ReadonlyMap<
  string,
  { readonly png: Uint8Array; readonly width: number; readonly height: number }
>;

/** Where a head's part of the page is. */
export const anchorOf = (model: string, head: string): string =>
  `${model.replaceAll(/[^\w.-]+/g, "_")}-${head}`;

/** One part a head: its label and texts, what it truly responds to, and the images nearest to its first text. */
export function headsHtml(model: StudyModel, thumbnails: Thumbnails): string {
  return `<div class="heads">
${model.heads.map((head) => headHtml(model, head, thumbnails)).join("\n")}
</div>`;
}

function headHtml(model: StudyModel, head: StudyHead, thumbnails: Thumbnails): string {
  const { ccs, ccsResampled, sameLabel, descriptions } = head;
  const judged = descriptions.filter(({ fits }) => fits !== null).length;
  const [low, high] = [number(ccsResampled.low, 0), number(ccsResampled.high, 0)];
  const rows = descriptions.map(({ text, property, explained, fits }) => {
    const verdict =
      fits === null
        ? ""
        : fits
          ? '<span class="yes" title="fits the label">✓</span>'
          : '<span class="no" title="does not fit">✗</span>';
    return `<tr><td><bdi>${escapeXml(shorten(text, 120, () => 1))}</bdi></td><td>${escapeXml(property ?? "–")}</td><td class="n">${number(100 * explained, 1)} %</td><td>${verdict}</td></tr>`;
  });
  return `<section class="head" id="${escapeXml(anchorOf(model.origin.model.name, head.name))}">
<h4>${escapeXml(head.name)}: ${escapeXml(head.label)}</h4>
<p>CCS ${ccs} of ${judged} (resampled images: ${low === high ? low : `${low}–${high}`}; the same label in ${percent(sameLabel)} of them)</p>
<table><thead><tr><th scope="col">text</th><th scope="col">tag</th><th scope="col" class="n">explains</th><th scope="col">fits</th></tr></thead>
<tbody>${rows.join("")}</tbody></table>
${truthHtml(head)}${imagesHtml(head, thumbnails)}</section>`;
}

/** The three factors that explain most of a head, as bars. */
function truthHtml({ selectivity, label }: StudyHead): string {
  if (selectivity.length === 0) return "";
  const strongest = [...selectivity].sort((a, b) => b.share - a.share).slice(0, 3);
  const rows = strongest.map(({ factor, share, significant }, i) => {
    const name = escapeXml(factor) + (factor === label ? " (the label)" : "");
    const width = `<span class="meter" style="width:${number(8 * share, 2)}rem"></span>`;
    const value = significant ? `${number(100 * share, 1)} %` : "not above chance";
    return `<tr><td>${i === 0 ? `<b>${name}</b>` : name}</td><td>${width}${value}</td></tr>`;
  });
  return `<p><small>What it truly responds to: share of its variance that each known factor explains (ε²)</small></p>
<table><tbody>${rows.join("")}</tbody></table>
`;
}

function imagesHtml({ images, descriptions }: StudyHead, thumbnails: Thumbnails): string {
  const shown = images.flatMap(({ sha256, path, label }) => {
    const small = thumbnails.get(sha256);
    if (small === undefined) return [];
    const alt = escapeXml(shorten(label ?? path, 80, () => 1));
    return [
      `<img src="data:image/png;base64,${base64(small.png)}" width="${small.width}" height="${small.height}" alt="${alt}" title="${alt}">`,
    ];
  });
  if (shown.length === 0) return "";
  const text = escapeXml(shorten(descriptions[0].text, 60, () => 1));
  return `<p><small>Images to which it adds most along “<bdi>${text}</bdi>”</small></p>
<div class="thumbs">${shown.join("")}</div>
`;
}

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (let start = 0; start < bytes.length; start += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(start, start + 0x8000));
  }
  return btoa(binary);
}
