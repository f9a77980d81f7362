import type { AtlasDirection, AtlasHeadResult, AtlasMetricWords, AtlasShown } from "../../results/atlas.ts";
import type { CommonValue } from "../../results/shapes.ts";
import { type HtmlCell, htmlTable, scrolling } from "../kit/table.ts";
import { counted, escapeXml, formatSigned } from "../kit/text.ts";
import { factorBars, histogram, lookMap, svgElement, textCurve } from "./drawings.ts";
import { atlasPage } from "./frame.ts";
import { HEAD_SCRIPT, mapLevels } from "./script.ts";
import {
  addedByChance,
  addsInWords,
  COMMON_WORDS,
  directionName,
  END_WORDS,
  explainedInWords,
  factorInWords,
  inOrder,
  labelledBy,
  lookInWords,
  metricValue,
  percent,
  saysCommon,
  signedPercent,
} from "./words.ts";

/** What a page cannot know by itself. */
export interface PageContext {
  /** The address of an image's small picture; null where its file is gone. */
  readonly picture: (row: number) => string | null;
  /** The address of a head's page. */
  readonly href: (name: string) => string;
  readonly metrics: readonly AtlasMetricWords[];
  readonly steps: number;
  /** SHA-256 of a script, in base64. */
  readonly scriptHash: string;
}

/** The page of one head as HTML, for a folder that is opened from disk. */
export function atlasHeadHtml(page: AtlasHeadResult, context: PageContext): string {
  const { entry, origin } = page;
  const { notice } = origin.model;
  const body = [
    navigation(page, context),
    "<main>",
    heading(page, context),
    notice === null ? "" : `<p class="notice">${escapeXml(notice)}</p>`,
    firstSection(page, context),
    groupSection(page, context),
    otherSection(page, context),
    textSection(page, context),
    `<div class="pair">${knowledgeSection(page)}${effectSection(page)}</div>`,
    neighbourSection(page, context),
    "</main>",
  ].join("\n");
  return atlasPage({
    title: `${entry.name} · ${origin.model.name}`,
    ...{ body, origin, script: HEAD_SCRIPT, scriptHash: context.scriptHash },
  });
}

function navigation({ previous, next }: AtlasHeadResult, { href }: PageContext): string {
  const link = (head: typeof previous, rel: "prev" | "next") => {
    if (!head) return "";
    const text = rel === "prev" ? `← ${head.name}` : `${head.name} →`;
    return `<a rel="${rel}" href="${escapeXml(href(head.name))}">${escapeXml(text)}</a>`;
  };
  return `<nav aria-label="Heads"><a href="index.html">All heads</a><span class="end muted"><small>arrow keys: previous and next head</small></span>${link(previous, "prev")}${link(next, "next")}</nav>`;
}

function heading({ entry, images, origin }: AtlasHeadResult, { metrics }: PageContext): string {
  const { label, strongest } = entry;
  const facts = metrics.flatMap(({ key, name, unit, words }) => {
    const value = entry.metrics[key];
    // What texts explain stands in a sentence of its own, and selectivity beside its sign.
    if (value === null || ["control", "p", "sign"].includes(key)) return [];
    const more =
      key === "selectivity" && strongest ? `<small>${escapeXml(factorInWords(strongest))}</small>` : "";
    return [
      `<div title="${escapeXml(words)}"><dt>${escapeXml(name)}</dt><dd>${escapeXml(metricValue(value, unit))}${more}</dd></div>`,
    ];
  });
  const called = label ? ` <span class="label"><bdi>${escapeXml(label.label)}</bdi></span>` : "";
  const by = label
    ? `<p class="muted">Label ${escapeXml(labelledBy(label))}${label.date ? `, ${escapeXml(label.date.slice(0, 10))}` : ""}</p>`
    : "";
  return `<h1>${escapeXml(entry.name)}${called}</h1>
${by}<p class="muted">Attention head ${entry.head} of layer ${entry.layer}, both counted from 0, of <bdi>${escapeXml(origin.model.name)}</bdi>, over ${counted(images, "image")}.</p>
<dl class="facts">${facts.join("")}</dl>`;
}

/** One picture with its score and map. */
function thumb(page: AtlasHeadResult, row: number, context: PageContext, shown?: AtlasShown): string {
  const picture = page.pictures.find((one) => one.row === row);
  const src = context.picture(row);
  const name = picture?.label ?? picture?.path.replace(/^.*\//, "") ?? "";
  const image = src
    ? `<img loading="lazy" src="${escapeXml(src)}" alt="${escapeXml(name)}" width="64" height="64">`
    : `<span class="muted">gone</span>`;
  const { rows, columns } = page.grid;
  const map = shown?.map
    ? `<canvas width="${columns}" height="${rows}" data-map="${mapLevels(shown.map, page.mapLimit)}"></canvas>`
    : "";
  const title = factsOf(page, row);
  const caption = shown ? `<figcaption>${formatSigned(shown.score, 3)}</figcaption>` : "";
  return `<li><figure title="${escapeXml(title)}"><div class="frame-of${src ? "" : " none"}">${image}${map}</div>${caption}</figure></li>`;
}

function factsOf({ pictures }: AtlasHeadResult, row: number): string {
  const picture = pictures.find((one) => one.row === row);
  if (!picture) return "";
  const factors = Object.entries(picture.factors).flatMap(([name, value]) =>
    value === null ? [] : [`${name}: ${value}`],
  );
  return [picture.label ?? picture.path, ...factors].join(" · ");
}

function groupSection(page: AtlasHeadResult, context: PageContext): string {
  const { groups, images } = page;
  if (groups.length === 0) return "";
  const cards = groups.map(
    ({ size, images: rows, common }, i) =>
      `<section class="group" aria-label="Group ${i + 1}"><h3>${percent(size / images)} <small>of the images</small></h3>
${commonCaption(common)}<ul class="thumbs">${rows.map((row) => thumb(page, row, context)).join("")}</ul></section>`,
  );
  return `<h2>Images that it sees alike</h2>
<p class="muted">The images, parted into ${counted(groups.length, "group")} by what the head wrote into them (k-means), the largest group first. What the pictures of a group have in common, and groups do not share, is what the head tells apart.${saysCommon(page) ? ` ${COMMON_WORDS}` : ""}</p>
<div class="groups">${cards.join("\n")}</div>`;
}

/** What a set of images has more often than all; nothing where chance gives as much. */
function commonCaption(common: readonly CommonValue[], of?: string): string {
  if (common.length === 0) return "";
  const said = common.map(
    ({ factor, value, share, overall }) =>
      `<bdi>${escapeXml(factor)}: ${escapeXml(value)}</bdi> ${percent(share)} <span class="muted">(of all ${percent(overall)})</span>`,
  );
  return `<p class="common">${of === undefined ? "" : `<span class="muted">${of}:</span> `}${said.join("; ")}</p>`;
}

/** The first direction beside where the head looks: what a reader sees first. */
function firstSection(page: AtlasHeadResult, context: PageContext): string {
  const { directions } = page;
  const look = lookSection(page);
  if (directions.length === 0) return `<p>Nothing varies in this head over these images.</p>${look}`;
  const isText = directions[0].kind === "text";
  const hasMaps = page.pictures.some(({ covered }) => covered !== null);
  const left = page.withoutMaps > 0 && hasMaps ? ` ${counted(page.withoutMaps, "image")} have no map.` : "";
  const maps = hasMaps
    ? `<div class="controls"><label class="check"><input type="checkbox" id="maps"> maps on the pictures</label><span class="muted"><small>Also where the pointer is. Red: the patch adds to the score; blue: it takes away.${left}</small></span></div>`
    : "";
  return `<h2>Images along its first ${isText ? "text" : "principal direction"}</h2>
<p class="muted">${isText ? "A text stands for a direction that the head writes along. " : ""}Scores are what the head wrote along it, less the mean over all images: the least left, the most right.</p>
${maps}<div class="${look === "" ? "" : "beside"}">${directionCard(page, 0, context)}${look}</div>`;
}

function otherSection(page: AtlasHeadResult, context: PageContext): string {
  const [first, ...others] = page.directions;
  if (others.length === 0) return "";
  const isText = first.kind === "text";
  return `<h2>Images along its other ${isText ? "texts" : "principal directions"}</h2>
<p class="muted">${isText ? "Each text stands for what the head writes along it less those before it." : "Each is at right angles to those before it."}</p>
${others.map((_, i) => directionCard(page, i + 1, context)).join("\n")}`;
}

function directionCard(page: AtlasHeadResult, step: number, context: PageContext): string {
  const direction: AtlasDirection = page.directions[step];
  const { property, common } = direction;
  const { tenths, ...ends } = inOrder(direction);
  const thumbs = (shown: readonly AtlasShown[]) =>
    `<ul class="thumbs">${shown.map((one) => thumb(page, one.row, context, one)).join("")}</ul>`;
  const end = (which: "least" | "most") =>
    `<div class="ends ${which}"><h4>${END_WORDS[which].title}</h4>${thumbs(ends[which])}${commonCaption(common[which], END_WORDS[which].of)}</div>`;
  const columns = tenths.map(({ called, images }) => `<div><p>${called}</p>${thumbs(images)}</div>`);
  const tag = property === null ? "" : ` <small>(${escapeXml(property)})</small>`;
  const name = directionName(direction);
  return `<section class="direction"><h3><bdi>${escapeXml(name)}</bdi>${tag} <small>${addsInWords(page, direction, step)}</small></h3>
${end("least")}${end("most")}
<div class="across"><h4>every tenth of the images, drawn at random from it</h4><div class="deciles">${columns.join("")}</div></div>
<div class="across">${svgElement(histogram(direction.histogram, 400, 64), `Scores of all images along ${name}`)}</div></section>`;
}

function textSection(page: AtlasHeadResult, { steps }: PageContext): string {
  const { texts, control } = page;
  const sentence = explainedInWords(page, steps);
  if (sentence === undefined) return "";
  let sum = 0;
  const rows = texts.map(({ text, property, explained }, i) => {
    sum += explained;
    return [
      String(i + 1),
      { html: `<bdi>${escapeXml(text)}</bdi>`, as: "th" as const },
      escapeXml(property ?? ""),
      percent(explained),
      ...(control ? [{ html: percent(addedByChance(page, i)!), class: "muted" }] : []),
      percent(sum),
      ...(control ? [{ html: percent(control.mean[i]), class: "muted" }] : []),
    ].map((cell, column): HtmlCell => (column === 0 ? { html: String(i + 1), as: "td" } : cell));
  });
  const columns = [
    "#no.",
    "text",
    "property",
    "#adds",
    ...(control ? ["#by chance"] : []),
    "#together",
    ...(control ? ["#by chance"] : []),
  ];
  const curve = control
    ? `<figure style="margin:0">${svgElement(textCurve(page), "Share of the head’s variance that its texts explain together")}<figcaption style="text-align:left">Blue: its texts together. Grey: the same choice without meaning (95 % of rotations). Dashes: the most that is possible.</figcaption></figure>`
    : "";
  return `<h2>What its texts explain</h2>
<p>${escapeXml(sentence)}</p>
<div class="pair">${scrolling(htmlTable({ columns, rows }), "Texts of the head")}${curve}</div>`;
}

function knowledgeSection({ factors }: AtlasHeadResult): string {
  if (factors.length === 0) return "";
  return `<section><h2>What it knows</h2>
<p class="muted">Share of what varies in the head that each known factor explains beyond chance; red where it writes towards the text of the value that it sees, blue where away from it, grey where neither is certain.</p>
${svgElement(factorBars(factors), "Selectivity by factor")}</section>`;
}

function lookSection({ look, grid }: AtlasHeadResult): string {
  if (!look) return "";
  return `<section class="look"><h3>Where it looks</h3>
${svgElement(lookMap(look, grid), "Mean attention of each patch")}
<p class="muted">${escapeXml(lookInWords(look))}</p></section>`;
}

function effectSection({ effects }: AtlasHeadResult): string {
  if (effects.length === 0) return "";
  const rows = effects.map(({ factor, classes, direct, whole, without, percentile }) => [
    `${escapeXml(factor)} <small>${counted(classes, "value")}</small>`,
    signedPercent(direct),
    `${(100 * whole).toFixed(1)} %`,
    `${(100 * without).toFixed(1)} %`,
    percent(percentile),
  ]);
  const columns = ["factor", "#of the lead", "#with it", "#without", "#heads missed less"];
  return `<section><h2>What happens without it</h2>
<p class="muted">Zero-shot accuracy with the head’s direct effect replaced by its mean over the images, and the share of the true value’s lead that the head brings.</p>
${scrolling(htmlTable({ columns, rows }), "Effects of taking the head away")}</section>`;
}

function neighbourSection({ nearest, elsewhere, entry }: AtlasHeadResult, { href }: PageContext): string {
  const table = (caption: string, heads: AtlasHeadResult["nearest"], linked: boolean) =>
    htmlTable({
      caption,
      columns: ["head", "#similarity", "#by chance"],
      rows: heads.map(({ name, label, similarity, chance }) => {
        const head = linked ? `<a href="${escapeXml(href(name))}">${escapeXml(name)}</a>` : escapeXml(name);
        const called = label === null ? "" : ` · <bdi>${escapeXml(label)}</bdi>`;
        return [head + called, similarity.toFixed(2), { html: chance.toFixed(2), class: "muted" }];
      }),
    });
  if (nearest.length === 0 && elsewhere.length === 0) return "";
  return `<section><h2>Heads that respond like ${escapeXml(entry.name)}</h2>
<p class="muted">Linear CKA: 1 where two heads tell the same images apart in the same way, whatever they write.</p>
<div class="pair">${table("in this model", nearest, true)}${elsewhere
    .map(({ model, index, images, heads }) =>
      table(
        `in ${escapeXml(model)} (${escapeXml(index)}), over ${counted(images, "shared image")}`,
        heads,
        false,
      ),
    )
    .join("")}</div></section>`;
}
