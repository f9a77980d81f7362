import { describe, expect, test } from "vitest";
import { apart, colourBar, shareColour, shareInk, signedScale } from "./colour.ts";

const channels = (hex: string) => [1, 3, 5].map((start) => Number.parseInt(hex.slice(start, start + 2), 16));
const lightness = (hex: string) => channels(hex).reduce((total, channel) => total + channel, 0);

/** Relative luminance, as WCAG defines it. */
const luminance = (hex: string) => {
  const [red, green, blue] = channels(hex).map((channel) => {
    const unit = channel / 255;
    return unit <= 0.04045 ? unit / 12.92 : ((unit + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};

test("is blue at −limit, near white at zero, red at +limit and beyond them no different", () => {
  const { colour } = signedScale(0.05);
  expect([-0.05, 0, 0.05].map(colour)).toEqual(["#2166ac", "#f5f5f5", "#b2182b"]);
  expect([colour(-9), colour(9)]).toEqual([colour(-0.05), colour(0.05)]);
});

test("grows darker with every step away from zero, on both sides", () => {
  const { colour } = signedScale(1);
  for (const sign of [-1, 1]) {
    for (let step = 0; step < 40; step++) {
      expect(lightness(colour((sign * (step + 1)) / 40))).toBeLessThan(lightness(colour((sign * step) / 40)));
    }
  }
});

test("red leads above zero and blue below it, however small the value", () => {
  const { colour } = signedScale(1);
  for (const size of [0.02, 0.1, 0.5, 1]) {
    const [red, , blue] = channels(colour(size));
    const [redBelow, , blueBelow] = channels(colour(-size));
    expect(red).toBeGreaterThan(blue);
    expect(blueBelow).toBeGreaterThan(redBelow);
  }
});

test("numbers on cells can be read: contrast of at least 4 to 1 on every colour", () => {
  const { colour, ink } = signedScale(1);
  for (let value = -1; value <= 1; value += 0.01) {
    const [low, high] = [luminance(colour(value)), luminance(ink(value))].sort((a, b) => a - b);
    expect((high + 0.05) / (low + 0.05)).toBeGreaterThan(4);
  }
});

test("a limit of zero, as when nothing contributed, still gives colours", () => {
  expect(signedScale(0).colour(0)).toBe("#f5f5f5");
});

test("the bar shows both ends with their numbers, and marks a scale that values exceed", () => {
  const scale = signedScale(0.0312);
  const { body } = colourBar(scale);
  expect(body).toContain(">−0.0312<");
  expect(body).toContain(">+0.0312<");
  expect(body).not.toContain("≤");
  expect(colourBar(scale, { clipped: true }).body).toMatch(/>≤ −0\.0312<.*>≥ \+0\.0312</);
});

describe("scale of shares", () => {
  test("grows darker with every step from 0 to 1, and beyond them no different", () => {
    for (let step = 0; step < 40; step++) {
      expect(luminance(shareColour((step + 1) / 40))).toBeLessThan(luminance(shareColour(step / 40)));
    }
    expect([shareColour(-1), shareColour(2)]).toEqual([shareColour(0), shareColour(1)]);
  });

  test("numbers on cells can be read: contrast of at least 4 to 1 on every colour", () => {
    for (let share = 0; share <= 1; share += 0.005) {
      const [low, high] = [shareColour(share), shareInk(share)].map(luminance).sort((a, b) => a - b);
      expect((high + 0.05) / (low + 0.05), `at ${share}`).toBeGreaterThan(4);
    }
  });
});

describe("what tells things apart", () => {
  const twenty = Array.from({ length: 20 }, (_, i) => apart(i));

  test("draws no two of twenty alike, neither areas nor lines", () => {
    expect(new Set(twenty.map(({ colour, hatch }) => `${colour} ${hatch}`)).size).toBe(20);
    expect(new Set(twenty.map(({ colour, dash }) => `${colour} ${dash}`)).size).toBe(20);
  });

  test("shows as a line on white: contrast of at least 3 to 1", () => {
    for (const { colour } of twenty) expect(1.05 / (luminance(colour) + 0.05)).toBeGreaterThan(3);
  });
});

test("a narrow bar keeps what its ends mean apart", () => {
  const heights = [200, 320].map((width) => colourBar(signedScale(1), { width }).height);
  expect(heights).toEqual([64, 50]);
});
