import { type Drawing, round, TONES, textLine } from "../kit/svg.ts";
import { percent } from "./words.ts";

/** The line and bars of the texts chosen: reads on light and dark pages. */
export const TEXT_COLOUR = "#2a78c2";

/** What a curve is drawn from. */
export interface Curved {
  readonly explainedVariance: readonly number[];
  readonly control: {
    readonly rotated: {
      readonly mean: readonly number[];
      readonly low: readonly number[];
      readonly high: readonly number[];
    };
    readonly ceiling: readonly number[];
  } | null;
}

/** Shares that texts explain together, against their number, beside the control and the most that is possible. */
export function spanCurve(span: Curved, width: number, height: number): Drawing {
  const [left, right, top, bottom] = [34, 6, 6, 30];
  const { control } = span;
  const steps = span.explainedVariance.length;
  const x = (k: number) => left + ((width - left - right) * k) / Math.max(1, steps);
  const y = (share: number) => top + (height - top - bottom) * (1 - Math.min(1, share));
  const points = (values: readonly number[]) =>
    values.map((value, k) => `${round(x(k + 1))} ${round(y(value))}`).join("L");
  const line = (values: readonly number[], style: string) =>
    `<path d="M${round(x(0))} ${round(y(0))}L${points(values)}" fill="none" ${style}/>`;
  const grid = [0, 0.5, 1]
    .map(
      (share) =>
        `<path class="frame" d="M${left} ${round(y(share))}H${width - right}" stroke="${TONES.line}"/>` +
        textLine(left - 5, y(share) + 4, percent(share), { size: 10, tone: "muted", anchor: "end" }),
    )
    .join("");
  const band = (low: readonly number[], high: readonly number[]) =>
    `<path class="track" d="M${round(x(0))} ${round(y(0))}L${points(high)}L${low
      .map((share, k) => `${round(x(k + 1))} ${round(y(share))}`)
      .reverse()
      .join("L")}Z" fill="#e4e8ed"/>`;
  let sum = 0;
  const chosen = span.explainedVariance.map((share) => {
    sum += share;
    return sum;
  });
  const beside =
    control === null
      ? ""
      : band(control.rotated.low, control.rotated.high) +
        line(control.rotated.mean, `class="tick" stroke="${TONES.muted}"`) +
        line(control.ceiling, `class="edge" stroke="${TONES.ink}" stroke-dasharray="3 3"`);
  const curves = steps === 0 ? "" : beside + line(chosen, `stroke="${TEXT_COLOUR}" stroke-width="2"`);
  const title = `<title>${steps} texts explain ${percent(sum)}</title>`;
  const numbers =
    textLine(x(0), height - bottom + 14, "0", { size: 10, tone: "muted", anchor: "middle" }) +
    textLine(width - right, height - bottom + 14, String(steps), { size: 10, tone: "muted", anchor: "end" }) +
    textLine((left + width - right) / 2, height - 4, "number of texts", {
      size: 10,
      tone: "muted",
      anchor: "middle",
    });
  return { width, height, body: `<g>${title}${grid}${curves}${numbers}</g>` };
}

/** What the lines of {@link spanCurve} are. */
export function curveKey(): Drawing {
  const y = [7, 25, 43];
  const names = [
    "the texts chosen",
    "the same choice without meaning (95 % range)",
    "most that any directions explain",
  ];
  const marks = [
    `<path d="M0 ${y[0]}h26" stroke="${TEXT_COLOUR}" stroke-width="2"/>`,
    `<rect class="track" y="${y[1] - 6}" width="26" height="12" fill="#e4e8ed"/><path class="tick" d="M0 ${y[1]}h26" stroke="${TONES.muted}"/>`,
    `<path class="edge" d="M0 ${y[2]}h26" stroke="${TONES.ink}" stroke-dasharray="3 3"/>`,
  ];
  const lines = names.map((name, i) => marks[i] + textLine(34, y[i] + 4, name, { size: 11 }));
  const heading = textLine(0, 10, "Share of a head’s variance that texts explain together:", {
    size: 11,
    tone: "muted",
  });
  return { width: 300, height: 68, body: `${heading}<g transform="translate(0 18)">${lines.join("")}</g>` };
}
