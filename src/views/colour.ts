import { type Drawing, round, TONES, textLine } from "./svg.ts";
import { decimalsFor, formatSigned } from "./text.ts";

/**
 * ColorBrewer's RdBu without its two darkest ends, blue to red: a diverging scale that people with any of the
 * common colour-vision deficiencies can read. The middle is not pure white, so that zero shows on a white page.
 */
const STOPS = [
  "#2166ac",
  "#4393c3",
  "#92c5de",
  "#d1e5f0",
  "#f5f5f5",
  "#fddbc7",
  "#f4a582",
  "#d6604d",
  "#b2182b",
].map((hex) => [1, 3, 5].map((start) => Number.parseInt(hex.slice(start, start + 2), 16)));

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
    const position = (Math.min(1, Math.max(-1, value / range)) + 1) * ((STOPS.length - 1) / 2);
    const low = Math.min(STOPS.length - 2, Math.floor(position));
    return STOPS[low].map((from, i) => Math.round(from + (STOPS[low + 1][i] - from) * (position - low)));
  };
  return {
    limit: range,
    colour: (value) =>
      `#${channels(value)
        .map((channel) => channel.toString(16).padStart(2, "0"))
        .join("")}`,
    ink: (value) => (luminance(channels(value)) > 0.21 ? TONES.ink : TONES.paper),
  };
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
 * @param options `clipped`: some values lie beyond the scale, so its ends are marked ≤ and ≥
 */
export function colourBar(scale: SignedScale, options: { width?: number; clipped?: boolean } = {}): Drawing {
  const { width = 320, clipped = false } = options;
  const bands = 64;
  const band = width / bands;
  let body = "";
  for (let index = 0; index < bands; index++) {
    const value = scale.limit * ((2 * (index + 0.5)) / bands - 1);
    // Half a pixel of overlap keeps the page from shining through between two bands.
    body += `<rect x="${round(index * band)}" y="18" width="${round(band + (index < bands - 1 ? 0.5 : 0))}" height="12" fill="${scale.colour(value)}"/>`;
  }
  body += `<rect class="frame" x="0" y="18" width="${width}" height="12" fill="none" stroke="${TONES.line}"/>`;
  body += textLine(0, 11, "← away from the text", { size: 11, tone: "muted" });
  body += textLine(width, 11, "towards the text →", { size: 11, tone: "muted", anchor: "end" });
  const decimals = decimalsFor(scale.limit);
  const ends = [formatSigned(-scale.limit, decimals), formatSigned(scale.limit, decimals)];
  const [least, most] = clipped ? [`≤ ${ends[0]}`, `≥ ${ends[1]}`] : ends;
  body += `<path class="tick" d="M0.5 30v4M${width / 2} 30v4M${width - 0.5} 30v4" stroke="${TONES.muted}"/>`;
  body += textLine(0, 46, least, { size: 11 });
  body += textLine(width / 2, 46, "0", { size: 11, anchor: "middle" });
  body += textLine(width, 46, most, { size: 11, anchor: "end" });
  return { width, height: 50, body };
}
