import { at, type Drawing, round, TONES, textLine } from "./svg.ts";
import { decimalsFor, formatSigned, textWidth } from "./text.ts";

/**
 * ColorBrewer's RdBu without its two darkest ends, blue to red: a diverging scale that people with any of the
 * common colour-vision deficiencies can read. The middle is not pure white, so that zero shows on a white page.
 */
const SIGNED_STOPS = [
  "#2166ac",
  "#4393c3",
  "#92c5de",
  "#d1e5f0",
  "#f5f5f5",
  "#fddbc7",
  "#f4a582",
  "#d6604d",
  "#b2182b",
].map(channelsOf);

/** ColorBrewer's YlGnBu, pale to dark: it grows darker evenly, for every kind of colour vision. */
const SHARE_STOPS = [
  "#ffffd9",
  "#edf8b1",
  "#c7e9b4",
  "#7fcdbb",
  "#41b6c4",
  "#1d91c0",
  "#225ea8",
  "#253494",
  "#081d58",
].map(channelsOf);

/** Fills that are lighter than this have dark numbers, others white ones: so each contrasts by 4 to 1. */
const LIGHT = 0.21;

/** A scale from −limit (blue) through zero (near white) to +limit (red); values beyond take the end colour. */
export interface SignedScale {
  readonly limit: number;
  /** Fill for a value, as `#rrggbb`. */
  readonly colour: (value: number) => string;
  /** Black or white, whichever reads better on that fill. */
  readonly ink: (value: number) => string;
}

/** The scale that shows `limit` at full strength. A limit that is not positive (all values zero) counts as 1. */
export function signedScale(limit: number): SignedScale {
  const range = limit > 0 && Number.isFinite(limit) ? limit : 1;
  const channels = (value: number): number[] => {
    const position = (Math.min(1, Math.max(-1, value / range)) + 1) * ((SIGNED_STOPS.length - 1) / 2);
    return mixed(SIGNED_STOPS, position);
  };
  return {
    limit: range,
    colour: (value) => hexOf(channels(value)),
    ink: (value) => (luminance(channels(value)) > LIGHT ? TONES.ink : TONES.paper),
  };
}

const shareChannels = (share: number) =>
  mixed(SHARE_STOPS, Math.min(1, Math.max(0, share)) * (SHARE_STOPS.length - 1));

/** Fill for a share of 0 (pale yellow) to 1 (dark blue); what lies beyond takes the end's. */
export const shareColour = (share: number): string => hexOf(shareChannels(share));

/** White on {@link shareColour} where it contrasts enough; elsewhere black, since grey drowns in the middle blues. */
export const shareInk = (share: number): string =>
  luminance(shareChannels(share)) > LIGHT ? "#000000" : TONES.paper;

/** The channels at `position` among stops at 0, 1, 2, … */
function mixed(stops: readonly (readonly number[])[], position: number): number[] {
  const low = Math.min(stops.length - 2, Math.floor(position));
  return stops[low].map((from, i) => Math.round(from + (stops[low + 1][i] - from) * (position - low)));
}

function channelsOf(hex: string): number[] {
  return [1, 3, 5].map((start) => Number.parseInt(hex.slice(start, start + 2), 16));
}

function hexOf(channels: readonly number[]): string {
  return `#${channels.map((channel) => channel.toString(16).padStart(2, "0")).join("")}`;
}

/** Relative luminance of sRGB channels, as WCAG defines it. */
function luminance(channels: readonly number[]): number {
  const [red, green, blue] = channels.map((channel) => {
    const unit = channel / 255;
    return unit <= 0.04045 ? unit / 12.92 : ((unit + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/**
 * The colour bar of a scale, with numbers and what the two ends mean.
 * @param options `clipped`: some values lie beyond the scale, so its ends are marked ≤ and ≥; `ends`: what they mean
 */
export function colourBar(
  scale: SignedScale,
  options: { width?: number; clipped?: boolean; ends?: readonly [least: string, most: string] } = {},
): Drawing {
  const {
    width = 320,
    clipped = false,
    ends: meaning = ["away from the text", "towards the text"],
  } = options;
  const [least, most] = [`← ${meaning[0]}`, `${meaning[1]} →`];
  // Where the bar is too narrow for both in one line, each has its own.
  const above = textWidth(least, 11) + textWidth(most, 11) + 12 > width ? 14 : 0;
  const decimals = decimalsFor(scale.limit);
  const ends = [formatSigned(-scale.limit, decimals), formatSigned(scale.limit, decimals)];
  const lowered = (body: string) => (above === 0 ? body : at(0, above, { width, height: 50, body }));
  const body =
    lowered(
      colourBands(width, 64, (position) => scale.colour(scale.limit * (2 * position - 1))) +
        `<rect class="frame" x="0" y="18" width="${width}" height="12" fill="none" stroke="${TONES.line}"/>`,
    ) +
    textLine(0, 11, least, { size: 11, tone: "muted" }) +
    textLine(width, above + 11, most, { size: 11, tone: "muted", anchor: "end" }) +
    lowered(barNumbers(width, clipped ? [`≤ ${ends[0]}`, "0", `≥ ${ends[1]}`] : [ends[0], "0", ends[1]]));
  return { width, height: above + 50, body };
}

/** The colour bar of {@link shareColour}, always over all of it, so that two pictures can be compared. */
export function shareBar(
  width: number,
  title = "share explained by the factor",
  numbers: readonly string[] = ["0", "50 %", "100 %"],
): Drawing {
  let body = textLine(0, 11, title, { size: 11, tone: "muted" });
  body += colourBands(width, 60, shareColour);
  body += `<rect class="frame" y="18" width="${width}" height="12" fill="none" stroke="${TONES.line}"/>`;
  body += barNumbers(width, numbers);
  return { width, height: 50, body };
}

/** The coloured part of a bar, in bands; `colour` has the middle of each, from 0 at the left end to 1 at the right. */
function colourBands(width: number, bands: number, colour: (position: number) => string): string {
  const band = width / bands;
  let body = "";
  for (let index = 0; index < bands; index++) {
    // Half a pixel of overlap keeps the page from shining through between two bands.
    const overlap = index < bands - 1 ? 0.5 : 0;
    body += `<rect x="${round(index * band)}" y="18" width="${round(band + overlap)}" height="12" fill="${colour((index + 0.5) / bands)}"/>`;
  }
  return body;
}

/** Ticks and numbers at both ends and the middle of a bar. */
function barNumbers(width: number, [least, middle, most]: readonly string[]): string {
  return (
    `<path class="tick" d="M0.5 30v4M${width / 2} 30v4M${width - 0.5} 30v4" stroke="${TONES.muted}"/>` +
    textLine(0, 46, least, { size: 11 }) +
    textLine(width / 2, 46, middle, { size: 11, anchor: "middle" }) +
    textLine(width, 46, most, { size: 11, anchor: "end" })
  );
}

/**
 * What tells texts, series and winners apart: Okabe & Ito's colours (2008), which every kind of colour vision can, as
 * far as they show on white as a line (contrast of 3 to 1); of their yellow, the hue in a dark shade.
 */
const APART = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#7a6a00"] as const;
const DASHES = ["", "7 3", "2 3", "9 3 2 3", "4 4"] as const;

/** How one of several things is drawn. No two of the first twenty are drawn alike. */
export interface Apart {
  readonly colour: string;
  /** Of its line, as `stroke-dasharray`; empty: none. */
  readonly dash: string;
  /** Of its area: 0 none, 1 rising lines, 2 falling ones, 3 both. */
  readonly hatch: number;
  /** The colour of the hatching. */
  readonly shade: string;
}

/** How the i-th of several things is drawn: a colour of its own, and from the sixth on one with lines across it. */
export function apart(index: number): Apart {
  const turn = Math.floor(index / APART.length);
  const colour = APART[index % APART.length];
  const shade = hexOf(channelsOf(colour).map((channel) => Math.round(channel * HATCH_LIGHT)));
  return { colour, dash: DASHES[(index + turn) % DASHES.length], hatch: turn % 4, shade };
}

/** How light hatching is beside the colour that it lies on. */
export const HATCH_LIGHT = 0.5;

/** The hatching of a {@link SWATCH}, as a path. */
export function hatchPath(hatch: number): string {
  const rising = "M0 6L6 0M0 12L12 0M6 12L12 6";
  const falling = "M0 6L6 12M0 0L12 12M6 0L12 6";
  return ["", rising, falling, rising + falling][hatch];
}

/** Side of the square that shows a colour in a key. */
export const SWATCH = 12;

/** The square that shows how the i-th thing is drawn. */
export function swatch(index: number): Drawing {
  const { colour, hatch, shade } = apart(index);
  const lines = hatch === 0 ? "" : `<path d="${hatchPath(hatch)}" stroke="${shade}" stroke-width="2"/>`;
  const body = `<rect width="${SWATCH}" height="${SWATCH}" fill="${colour}"/>${lines}`;
  return { width: SWATCH, height: SWATCH, body };
}
