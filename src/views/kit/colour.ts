import { type Drawing, round, TONES, textLine } from "./svg.ts";
import { decimalsFor, formatSigned } from "./text.ts";

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
    ink: (value) => (luminance(channels(value)) > 0.21 ? TONES.ink : TONES.paper),
  };
}

const shareChannels = (share: number) =>
  mixed(SHARE_STOPS, Math.min(1, Math.max(0, share)) * (SHARE_STOPS.length - 1));

/** Fill for a share of 0 (pale yellow) to 1 (dark blue); what lies beyond takes the end's. */
export const shareColour = (share: number): string => hexOf(shareChannels(share));

/** Black or white, whichever contrasts more with {@link shareColour}. */
export const shareInk = (share: number): string =>
  luminance(shareChannels(share)) > 0.179 ? "#000000" : TONES.paper;

/** The channels at `position` among stops that stand at 0, 1, 2, … */
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
  let body = colourBands(width, 64, (position) => scale.colour(scale.limit * (2 * position - 1)));
  body += `<rect class="frame" x="0" y="18" width="${width}" height="12" fill="none" stroke="${TONES.line}"/>`;
  body += textLine(0, 11, `← ${meaning[0]}`, { size: 11, tone: "muted" });
  body += textLine(width, 11, `${meaning[1]} →`, { size: 11, tone: "muted", anchor: "end" });
  const decimals = decimalsFor(scale.limit);
  const ends = [formatSigned(-scale.limit, decimals), formatSigned(scale.limit, decimals)];
  const [least, most] = clipped ? [`≤ ${ends[0]}`, `≥ ${ends[1]}`] : ends;
  body += barNumbers(width, [least, "0", most]);
  return { width, height: 50, body };
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
 * Colours that tell a few things apart, for people with any of the common colour-vision deficiencies too (Okabe & Ito
 * 2008, without black and the yellow that drowns on white). From the eighth thing on they are turns of hue.
 */
const APART = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a5a00"];

/** The colour of the i-th of several things. */
export function apartColour(index: number): string {
  if (index < APART.length) return APART[index];
  const hue = (index * 137.508) % 360;
  const channel = (offset: number) => {
    const k = (offset + hue / 30) % 12;
    return Math.round(255 * (0.45 - 0.35 * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return hexOf([channel(0), channel(8), channel(4)]);
}
