import type { StudyModel, StudyResult } from "../../results/study.ts";
import { shareColour, shareInk } from "../kit/colour.ts";
import { at, type Drawing, paragraph, round, stack, svgDocument, TONES, textLine } from "../kit/svg.ts";
import { shorten, textWidth } from "../kit/text.ts";
import { number } from "./words.ts";

const BAR = "#3b7dd8";
const BAD = "#c2410c";
const GOOD = "#1a7f4b";
const widthOf =
  (size: number, bold = false) =>
  (part: string) =>
    textWidth(part, size, bold);

/** How many heads have each CCS, a panel a model, beside what five random texts of the pool would have. */
export function studyHistogramsSvg({ origin, models }: StudyResult): string {
  const [panelWidth, gap, perRow] = [230, 30, Math.min(4, Math.max(1, models.length))];
  const width = Math.max(520, perRow * (panelWidth + gap) - gap);
  const panels = models.map((model) => histogram(model, panelWidth));
  const rows = Math.ceil(panels.length / perRow);
  const grid: Drawing = {
    width,
    height: rows * 206,
    body: panels
      .map((panel, i) => at((i % perRow) * (panelWidth + gap), Math.floor(i / perRow) * 206, panel))
      .join(""),
  };
  const key =
    `<rect class="bar" x="0" y="3" width="14" height="10" fill="${BAR}"/>${textLine(20, 12, "heads of the model", { size: 12 })}` +
    `<path class="reference" d="M170 8h22" stroke="${BAD}" stroke-width="2.5"/>${textLine(198, 12, "five random texts of the pool (exact)", { size: 12 })}`;
  const title = "How many of five descriptions fit the label (CCS)";
  return svgDocument(
    stack(width, [
      [0, heading(title, width)],
      [10, { width, height: 16, body: key }],
      [16, grid],
    ]),
    `${title}. Bars: share of a model's heads; lines: chance.`,
    origin,
    12,
  );
}

const heading = (title: string, width: number): Drawing => ({
  width,
  height: 20,
  body: textLine(0, 15, title, { size: 15, bold: true }),
});

function histogram({ origin, metrics, chanceCcs }: StudyModel, width: number): Drawing {
  const [left, top, plotHeight] = [34, 24, 120];
  const { histogram: counts, judged } = metrics;
  const step = (width - left) / counts.length;
  const y = (share: number) => top + plotHeight * (1 - share);
  const bars = counts.map((count, ccs) => {
    const share = judged === 0 ? 0 : count / judged;
    const x = left + ccs * step;
    return (
      `<g><title>CCS ${ccs}: ${count} of ${judged} heads${chanceCcs ? `, by chance ${number(100 * chanceCcs[ccs], 1)} %` : ""}</title>` +
      `<rect class="bar" x="${round(x + 4)}" y="${round(y(share))}" width="${round(step - 8)}" height="${round(plotHeight * share)}" fill="${BAR}"/>` +
      (chanceCcs
        ? `<path class="reference" d="M${round(x + 1)} ${round(y(chanceCcs[ccs]))}h${round(step - 2)}" stroke="${BAD}" stroke-width="2.5"/>`
        : "") +
      "</g>" +
      textLine(x + step / 2, top + plotHeight + 21, String(ccs), { size: 11, anchor: "middle" }) +
      textLine(x + step / 2, top + plotHeight + 37, String(count), {
        size: 11,
        anchor: "middle",
        tone: "muted",
      })
    );
  });
  const axis = [0, 0.5, 1].map(
    (share) =>
      `<path class="frame" d="M${left} ${round(y(share))}H${width}" stroke="${TONES.line}"/>` +
      textLine(left - 6, y(share) + 4, `${100 * share} %`, { size: 10, anchor: "end", tone: "muted" }),
  );
  const title = textLine(0, 12, shorten(origin.model.name, width, widthOf(12, true)), {
    size: 12,
    bold: true,
  });
  const captions =
    textLine(left - 6, top + plotHeight + 21, "CCS", { size: 10, anchor: "end", tone: "muted" }) +
    textLine(left - 6, top + plotHeight + 37, "heads", { size: 10, anchor: "end", tone: "muted" });
  return { width, height: 196, body: title + axis.join("") + bars.join("") + captions };
}

const PANELS = [
  { key: "association", title: "association", better: "higher is called better", most: 1 },
  { key: "entanglement", title: "entanglement", better: "lower is called better", most: 1 },
  { key: "meanCcs", title: "mean CCS", better: "higher is called better", most: 5 },
] as const;

/** Three metrics of every model with their ranges, beside what random texts give. */
export function studyMetricsSvg({ origin, models }: StudyResult): string {
  const nameWidth = Math.min(
    200,
    Math.max(80, ...models.map(({ origin: { model } }) => textWidth(model.name, 12) + 10)),
  );
  const [panelWidth, gap] = [230, 34];
  const width = nameWidth + PANELS.length * (panelWidth + gap) - gap;
  const names = models.map(({ origin: { model } }, row) =>
    textLine(0, 58 + row * 26, shorten(model.name, nameWidth - 8, widthOf(12)), { size: 12 }),
  );
  const panels = PANELS.map(({ key, title, better, most }, i) => {
    const left = nameWidth + i * (panelWidth + gap);
    const x = (value: number) => left + (panelWidth * value) / most;
    const rows = models.map((model, row) => {
      const y = 54 + row * 26;
      const chance = (model.baselines?.randomTexts ?? model.labelBaselines?.permuted)?.[key] ?? null;
      const range = model.resampled[key];
      const value = key === "entanglement" ? model.metrics.entanglement.synonym : model.metrics[key];
      const band =
        chance === null
          ? ""
          : `<rect class="track" x="${round(x(chance.low))}" y="${y - 9}" width="${round(Math.max(3, x(chance.high) - x(chance.low)))}" height="18" fill="#dfe4ea"/>`;
      const whisker =
        range === null
          ? ""
          : `<path class="whisker" d="M${round(x(range.low))} ${y}H${round(x(range.high))}M${round(x(range.low))} ${y - 4}v8M${round(x(range.high))} ${y - 4}v8" stroke="${TONES.ink}" stroke-width="1.5"/>`;
      const dot =
        value === null ? "" : `<circle class="bar" cx="${round(x(value))}" cy="${y}" r="4.5" fill="${BAR}"/>`;
      return `<g><title>${title} ${number(value)}</title>${band}${whisker}${dot}</g>`;
    });
    const bottom = 54 + models.length * 26 - 8;
    const ticks = [0, 0.5, 1].map(
      (share) =>
        `<path class="frame" d="M${round(x(share * most))} 40V${bottom}" stroke="${TONES.line}"/>` +
        textLine(x(share * most), bottom + 14, number(share * most, 1), {
          size: 10,
          anchor: "middle",
          tone: "muted",
        }),
    );
    return (
      textLine(left, 12, title, { size: 13, bold: true }) +
      textLine(left, 28, better, { size: 11, tone: "muted" }) +
      ticks.join("") +
      rows.join("")
    );
  });
  const height = 54 + models.length * 26 + 10;
  const note = paragraph(
    `Dot: the model. Line: 95 % of what resampled images give. Grey band: 95 % of what ${models.some(({ baselines }) => baselines) ? "the same number of heads has when each is described by five random texts of the pool" : "the same heads have when their labels are dealt out again at random"}.`,
    width,
    { size: 11, tone: "muted" },
  );
  return svgDocument(
    stack(width, [
      [0, { width, height, body: names.join("") + panels.join("") }],
      [10, note],
    ]),
    "Association, entanglement and mean CCS of every model",
    origin,
    12,
  );
}

/** How many heads of each layer have each label: rows are labels, columns layers. */
export function studyLayersSvg({ origin, byProperty, byLayer, shape }: StudyModel): string {
  const nameWidth = Math.min(220, Math.max(80, ...byProperty.map((group) => textWidth(group.name, 12) + 14)));
  const [cell, height] = [64, 24];
  const width = Math.max(420, nameWidth + byLayer.length * cell);
  const columns = byLayer.map((layer, i) =>
    textLine(nameWidth + (i + 0.5) * cell, 14, layer.name, { size: 12, anchor: "middle" }),
  );
  const rows = byProperty.map((group, row) => {
    const y = 22 + row * height;
    const cells = byLayer.map((layer, i) => {
      const count = group.heads.filter((head) => `L${head.layer}` === layer.name).length;
      const share = count / shape.headsPerLayer;
      const x = nameWidth + i * cell;
      const fill = count === 0 ? "#f0f2f5" : shareColour(share);
      const label =
        count === 0
          ? ""
          : textLine(x + cell / 2, y + 16, String(count), {
              size: 12,
              anchor: "middle",
              fill: shareInk(share),
            });
      return `<rect class="gap${count === 0 ? " track" : ""}" x="${x}" y="${y}" width="${cell}" height="${height}" fill="${fill}" stroke="${TONES.paper}"/>${label}`;
    });
    const label = textLine(nameWidth - 8, y + 16, shorten(group.name, nameWidth - 10, widthOf(12)), {
      size: 12,
      anchor: "end",
    });
    return label + cells.join("");
  });
  const title = `${shorten(origin.model.name, 260, widthOf(13, true))}: heads that have each label, by layer`;
  const body = columns.join("") + rows.join("");
  return svgDocument(
    stack(width, [
      [0, { width, height: 18, body: textLine(0, 13, title, { size: 13, bold: true }) }],
      [8, { width, height: 22 + byProperty.length * height, body }],
    ]),
    title,
    origin,
    12,
  );
}

/** Every head by its CCS and by how selective it truly is for what its label says. */
export function studyCalibrationSvg({ origin, calibration }: StudyResult): string {
  const [left, top, width, plotHeight] = [70, 34, 640, 260];
  const heads = calibration?.heads ?? [];
  const most = Math.max(0.2, Math.ceil(10 * Math.max(0, ...heads.map(({ bestShare }) => bestShare))) / 10);
  const step = (width - left) / 6;
  const y = (share: number) => top + plotHeight * (1 - share / most);
  const ticks = Array.from({ length: 5 }, (_, i) => (i * most) / 4).map(
    (share) =>
      `<path class="frame" d="M${left} ${round(y(share))}H${width}" stroke="${TONES.line}"/>` +
      textLine(left - 8, y(share) + 4, `${number(100 * share, 0)} %`, {
        size: 11,
        anchor: "end",
        tone: "muted",
      }),
  );
  const columns = Array.from({ length: 6 }, (_, ccs) => {
    const of = heads.filter((head) => head.ccs === ccs);
    const dots = of.map(({ name, label, labelShare, best, bestShare, right }, i) => {
      const x = left + step * (ccs + 0.12 + (0.76 * (i + 0.5)) / of.length);
      const tip = `${name}, labelled ${label} (${number(100 * (labelShare ?? 0), 0)} %), truly ${best} (${number(100 * bestShare, 0)} %)`;
      const mark = right
        ? `<circle class="good" cx="${round(x)}" cy="${round(y(labelShare ?? 0))}" r="4" fill="${GOOD}"/>`
        : `<path class="bad" d="M${round(x - 4.5)} ${round(y(labelShare ?? 0) + 4)}h9l-4.5 -8z" fill="${BAD}"/>`;
      return `<g><title>${shorten(tip, 160, () => 1)
        .replaceAll("&", "&amp;")
        .replaceAll("<", "&lt;")}</title>${mark}</g>`;
    });
    const label = textLine(left + step * (ccs + 0.5), top + plotHeight + 18, String(ccs), {
      size: 12,
      anchor: "middle",
    });
    const edge = left + step * ccs;
    return `<path class="frame" d="M${round(edge)} ${top}V${top + plotHeight}" stroke="${TONES.line}"/>${dots.join("")}${label}`;
  });
  const key =
    `<circle class="good" cx="6" cy="8" r="4" fill="${GOOD}"/>${textLine(16, 12, "label is the head’s strongest factor", { size: 12 })}` +
    `<path class="bad" d="M261.5 12h9l-4.5 -8z" fill="${BAD}"/>${textLine(278, 12, "another factor is stronger", { size: 12 })}`;
  const axis =
    textLine(0, top - 12, "share of the head’s variance that the label’s factor explains (ε²)", {
      size: 11,
      tone: "muted",
    }) +
    textLine(
      left + (width - left) / 2,
      top + plotHeight + 36,
      "CCS: how many of five descriptions fit the label",
      {
        size: 11,
        anchor: "middle",
        tone: "muted",
      },
    );
  const title = "Does a consistent label mean a selective head?";
  return svgDocument(
    stack(width, [
      [0, heading(title, width)],
      [10, { width, height: 16, body: key }],
      [14, { width, height: top + plotHeight + 42, body: ticks.join("") + axis + columns.join("") }],
    ]),
    title,
    origin,
    12,
  );
}
