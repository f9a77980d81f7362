import { SYNONYMS } from "../../results/metrics.ts";
import type { StudyModel, StudyResult } from "../../results/study.ts";
import { figure, htmlPage } from "../kit/html.ts";
import { tableHtml } from "../kit/table.ts";
import { counted, escapeXml } from "../kit/text.ts";
import { studyCalibrationSvg, studyHistogramsSvg, studyLayersSvg, studyMetricsSvg } from "./charts.ts";
import { anchorOf, headsHtml, type Thumbnails } from "./heads.ts";
import {
  calibrationTable,
  depthTable,
  inputTable,
  labelTable,
  metricTable,
  modelTable,
  publishedTable,
  reliabilityTable,
  rightTable,
  seedTable,
  sizeTable,
} from "./tables.ts";
import { findings, halvesInWords, methodOf, PUBLISHED, SIZES, shapeOf, TRUTH, titleOf } from "./words.ts";

/**
 * A study as one HTML page that needs nothing beside it.
 *
 * @example
 * ```ts
 * import { readFile, writeFile } from "node:fs/promises";
 * import { runStudy } from "clip-interpret";
 * import { studyHtml } from "clip-interpret/views";
 *
 * const { result } = await runStudy({
 *   ...{ models: ["emoji-4x128-p8"], images: "scenes", stepsFolder: "out/steps" },
 *   ...{ heads: "L3", iterations: 3, resamples: 2, draws: 10, permutations: 2 },
 * });
 * await writeFile("out.html", studyHtml(result));
 * console.log((await readFile("out.html", "utf8")).slice(0, 15)); // → <!doctype html>
 * ```
 */
export function studyHtml(report: StudyResult, thumbnails: Thumbnails = new Map()): string {
  const { models, calibration, sizes } = report;
  const notices = [...new Set(models.flatMap(({ origin }) => origin.model.notice ?? []))];
  const sections: readonly (readonly [id: string, title: string, body: string])[] = [
    ["found", "What was found", list(findings(report))],
    [
      "models",
      "Models",
      `${tableHtml(modelTable(report))}${paragraph(methodOf(report))}${figureOf(studyMetricsSvg(report), "Metrics of every model")}`,
    ],
    ["ccs", "How consistent are the labels?", figureOf(studyHistogramsSvg(report), "Histograms of CCS")],
    [
      "believe",
      "How much to believe a label",
      calibration === null
        ? paragraph(findings(report)[0])
        : `${paragraph(TRUTH)}${tableHtml(rightTable(report))}${calibration.halves === null ? "" : paragraph(halvesInWords(calibration))}${tableHtml(depthTable(calibration))}${tableHtml(calibrationTable("All models together", calibration))}${figureOf(studyCalibrationSvg(report), "CCS and selectivity of every head")}${tableHtml(reliabilityTable(calibration))}${tableHtml(labelTable(calibration))}`,
    ],
    [
      "size",
      "Are larger models more interpretable?",
      `${paragraph(SIZES)}${sizes.steps.length > 0 ? tableHtml(sizeTable(report)) : ""}${sizes.seeds === null ? "" : tableHtml(seedTable(report))}`,
    ],
    ["published", "The paper’s models", `${paragraph(PUBLISHED)}${tableHtml(publishedTable(report))}`],
    ["metrics", "All metrics", models.map((model) => tableHtml(metricTable(model))).join("\n")],
    ["heads", "Every head", models.map((model) => modelHtml(model, thumbnails)).join("\n")],
    ["made", "How this was made", madeHtml(report)],
  ];
  const links = sections.map(([id, title]) => `<li><a href="#${id}">${title}</a></li>`);
  const body = `<p class="muted">${escapeXml(models.map((model) => `${model.origin.model.name} (${shapeOf(model)})`).join(" · "))}</p>
${notices.length === 0 ? "" : `<p class="notice">${notices.map(escapeXml).join("<br>")}</p>`}
<nav aria-label="Sections"><ul>${links.join("")}</ul></nav>
${sections.map(([id, title, content]) => `<section>\n<h2 id="${id}">${title}</h2>\n${content}\n</section>`).join("\n")}`;
  return htmlPage(escapeXml(titleOf(report)), body, "report");
}

const paragraph = (text: string): string => `<p>${escapeXml(text)}</p>\n`;
const list = (items: readonly string[]): string =>
  `<ul>${items.map((item) => `<li>${escapeXml(item)}</li>`).join("\n")}</ul>`;
const figureOf = (svg: string, label: string): string => `${figure(fixedWidth(svg), escapeXml(label))}\n`;

/** A drawing at its own size, smaller only where the page is narrower. */
const fixedWidth = (svg: string): string =>
  svg.replace(/^<svg ([^>]*?)width="(\d+)" height="\d+"/, '<svg $1style="max-width:$2px"');

function modelHtml(model: StudyModel, thumbnails: Thumbnails): string {
  const { name } = model.origin.model;
  const links = model.heads.map(
    (head) =>
      `<li><a href="#${escapeXml(anchorOf(name, head.name))}">${escapeXml(`${head.name} ${head.label} (${head.ccs})`)}</a></li>`,
  );
  return `<h3>${escapeXml(name)}</h3>
${figureOf(studyLayersSvg(model), "Labels by layer")}<p class="muted">${counted(model.heads.length, "head")}; in brackets its CCS</p>
<nav aria-label="Heads of ${escapeXml(name)}"><ul>${links.join("")}</ul></nav>
${headsHtml(model, thumbnails)}`;
}

function madeHtml(report: StudyResult): string {
  const { origin, code, settings } = report;
  const synonyms = Object.entries(SYNONYMS).map(([first, others]) => `${first} = ${others.join(" = ")}`);
  return `${tableHtml(inputTable(report))}
<p>Computed by ${origin.program} ${escapeXml(origin.version)}, modules <code>${code}</code>. Heads: ${escapeXml(settings.heads)}; ${settings.iterations} texts a head, of which the first five make the label; images dealt into ${settings.blocks} blocks and drawn anew ${settings.resamples} times; ${settings.draws} draws of each baseline and permutation of the labels; ${settings.permutations} permutations of the factors; seed ${settings.seed}. The same inputs give this report again, byte for byte. study.json beside it holds every number and the whole hashes.</p>
<p>Labels count as one when they differ in case or plural, or stand in this table: ${escapeXml(synonyms.join("; "))}.</p>`;
}
