import type { AtlasEntry, AtlasMetric, AtlasResult } from "../../results/atlas.ts";
import { htmlTable, scrolling } from "../kit/table.ts";
import { counted, escapeXml } from "../kit/text.ts";
import { SCATTER, scatter, shareBar, svgElement } from "./drawings.ts";
import { atlasPage } from "./frame.ts";
import type { PageContext } from "./page.ts";
import { OVERVIEW_SCRIPT } from "./script.ts";
import { captionOf, entryName, factorInWords, labelledBy, metricValue, titleOf } from "./words.ts";

/** Metrics that a row of the overview shows beside its bar. */
const SHOWN: readonly AtlasMetric[] = ["norm", "directEffect", "ablationEffect", "ccs"];

/** What the overview needs beside the result. */
export type OverviewContext = Pick<PageContext, "picture" | "href" | "scriptHash">;

/** Every head at a glance as HTML, for a folder that is opened from disk. */
export function atlasOverviewHtml(atlas: AtlasResult, context: OverviewContext): string {
  const { origin, heads } = atlas;
  const { notice } = origin.model;
  const title = titleOf(atlas);
  const body = `<main>
<h1>${escapeXml(title)}</h1>
<p class="muted">${escapeXml(captionOf(atlas))}</p>
${notice === null ? "" : `<p class="notice">${escapeXml(notice)}</p>`}
<div class="pair">${scatterSection(atlas, context)}<section class="notes">${metricNotes(atlas)}</section></div>
<h2>Heads <small id="count">${heads.length} of ${heads.length}</small></h2>
${controls(atlas)}
<ol id="heads">${heads.map((entry) => row(atlas, entry, context)).join("\n")}</ol>
</main>
<script type="application/json" id="data">${dataOf(atlas)}</script>`;
  return atlasPage({ title, body, script: OVERVIEW_SCRIPT, scriptHash: context.scriptHash, origin });
}

/** Metrics of which some head has a value. */
const known = ({ metrics }: AtlasResult) => metrics.filter(({ why }) => why === null);

function controls(atlas: AtlasResult): string {
  const options = known(atlas)
    .map(({ key, name }) => `<option value="${key}">${escapeXml(name)}</option>`)
    .join("");
  return `<div class="controls" role="search">
<label>search labels, texts and factors<input type="search" id="search" maxlength="200" placeholder="red"></label>
<label>sort by<select id="sort"><option value="place">layer and head</option>${options}</select></label>
<label class="check"><input type="checkbox" id="down"> highest first</label>
<label>only with<select id="filter">${options}</select></label>
<label>at least<input type="number" id="least" step="any"></label>
<label>at most<input type="number" id="most" step="any"></label>
<small>shares in per cent</small></div>`;
}

function scatterSection(atlas: AtlasResult, { href }: OverviewContext): string {
  const metrics = known(atlas);
  if (metrics.length < 2) return "";
  const of = (wanted: readonly AtlasMetric[]) =>
    wanted.flatMap((key) => metrics.find((metric) => metric.key === key) ?? [])[0] ?? metrics[0];
  const [x, y] = [of(["explained", "norm"]), of(["sign", "selectivity", "norm"])];
  const choice = (id: string, chosen: AtlasMetric) =>
    `<label>${id === "x" ? "across" : "upwards"}<select id="${id}">${metrics
      .map(
        ({ key, name }) =>
          `<option value="${key}"${key === chosen ? " selected" : ""}>${escapeXml(name)}</option>`,
      )
      .join("")}</select></label>`;
  return `<section><h2>Two metrics</h2>
<div class="controls">${choice("x", x.key)}${choice("y", y.key)}<small>darker: later layers; a point leads to its head</small></div>
<div class="plot" tabindex="0" role="region" aria-label="Heads by two metrics">${svgElement(scatter(atlas.heads, x, y, href), "Heads by two metrics").replace('role="img"', 'role="group"')}</div></section>`;
}

function row(atlas: AtlasResult, entry: AtlasEntry, { picture, href }: OverviewContext): string {
  const { name, label, strongest, texts, groups, metrics } = entry;
  const values = [
    ...(metrics.explained === null ? [] : [["explained by texts", explainedOf(metrics)]]),
    ...atlas.metrics.flatMap(({ key, name: words, unit }) =>
      metrics[key] === null || !SHOWN.includes(key) ? [] : [[words, metricValue(metrics[key], unit)]],
    ),
  ].map(([words, value]) => `<dt>${escapeXml(words)}</dt><dd>${escapeXml(value)}</dd>`);
  const called = label
    ? `<p><span class="label" title="${escapeXml(labelledBy(label))}"><bdi>${escapeXml(label.label)}</bdi></span></p>`
    : "";
  const bar = strongest
    ? `<p>knows best: ${escapeXml(factorInWords(strongest))}</p>${svgElement(shareBar(strongest), `Selectivity of ${name}`)}`
    : "";
  const thumbs = groups.map((image) => {
    const src = picture(image);
    const alt = atlas.pictures.find((one) => one.row === image)?.label ?? "";
    return `<li><div class="frame-of${src ? "" : " none"}">${src ? `<img loading="lazy" src="${escapeXml(src)}" alt="${escapeXml(alt)}" width="40" height="40">` : ""}</div></li>`;
  });
  return `<li data-head="${escapeXml(name)}"><div><h3><a href="${escapeXml(href(name))}" aria-label="${escapeXml(entryName(entry))}">${escapeXml(name)}</a></h3>${called}</div>
<div>${bar}<dl>${values.join("")}</dl></div>
<ol>${texts.map((text) => `<li><bdi>${escapeXml(text)}</bdi></li>`).join("")}</ol>
<ul class="thumbs" aria-label="One image of each group">${thumbs.join("")}</ul></li>`;
}

/** `52 % (37 % without meaning)`. */
function explainedOf({ explained, control }: AtlasEntry["metrics"]): string {
  const own = metricValue(explained, "share");
  return control === null ? own : `${own} (${metricValue(control, "share")} without meaning)`;
}

function metricNotes({ metrics, rotations, steps }: AtlasResult): string {
  const rows = metrics.map(({ name, words, why }) => [
    escapeXml(name),
    escapeXml(words) +
      (why === null ? "" : `. <span class="muted">Not known here: ${escapeXml(why)}.</span>`),
  ]);
  const about =
    rotations > 0
      ? `<p class="muted">Texts: the first ${counted(steps, "text")} of each head; ${counted(rotations, "random rotation")}.</p>`
      : "";
  return `<h2>What the metrics say</h2>${about}${scrolling(htmlTable({ columns: ["metric", "what it says"], rows }), "What the metrics say")}`;
}

/** What the script reads: numbers and words, inert as HTML. */
function dataOf(atlas: AtlasResult): string {
  const data = {
    scatter: SCATTER,
    metrics: atlas.metrics.map(({ key, name, unit }) => ({ key, name, unit })),
    heads: atlas.heads.map(({ name, label, strongest, texts, metrics }) => ({
      ...{ name, texts, metrics },
      label: label?.label ?? "",
      factor: strongest?.factor ?? "",
    })),
  };
  return JSON.stringify(data).replaceAll("<", "\\u003c").replaceAll("\u2028", "\\u2028");
}
