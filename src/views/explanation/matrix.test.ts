import { expect, test } from "vitest";
import type { Explanation } from "../../results/explain.ts";
import { headOf } from "../../results/shapes.ts";
import { signedScale } from "../kit/colour.ts";
import { svgDocument } from "../kit/svg.ts";
import { contributionMatrix, contributionPanel } from "./matrix.ts";
import { sampleMatrix } from "./sample.fixture.ts";
import { rankContributions, rankTexts, sharedLimit } from "./words.ts";

const panel = (input: Explanation) => svgDocument(contributionPanel(input), "matrix");

/** Name → fill of every cell, as drawn. */
function fills(svg: string): Map<string, string> {
  const cells = svg.matchAll(/<g class="cell"><title>(\S+) [^<]*<\/title><rect [^>]*fill="(#[0-9a-f]{6})"/g);
  return new Map([...cells].map(([, name, fill]) => [name, fill]));
}

const tiny = {
  text: "a red car",
  similarity: 0.05,
  heads: [
    { ...headOf(0, 0), value: 0.02 },
    { ...headOf(0, 1), value: 0 },
    { ...headOf(1, 0), value: -0.02 },
    { ...headOf(1, 1), value: 0.01 },
  ],
  mlps: [
    { component: "embed", value: 0.01 },
    { component: "L0.MLP", value: -0.01 },
    { component: "L1.MLP", value: 0.04 },
  ],
  sum: 0.05,
  error: 3e-8,
};

test.each([
  [4, 4],
  [12, 12],
  [24, 16],
  [32, 20],
])("%i layers × %i heads: every component has a cell of its own, inside the picture", (layers, heads) => {
  const svg = panel(sampleMatrix("a cat", { layers, heads }));
  const drawn = fills(svg);
  expect(drawn.size).toBe(layers * heads + layers + 1);
  for (const name of ["L0.H0", `L${layers - 1}.H${heads - 1}`, "embed", `L${layers - 1}.MLP`]) {
    expect(drawn.has(name)).toBe(true);
  }
  const places = [...svg.matchAll(/<rect class="gap" x="([\d.]+)" y="([\d.]+)"/g)].map(
    ([, x, y]) => `${x} ${y}`,
  );
  expect(new Set(places).size).toBe(drawn.size);
  const width = Number(/width="(\d+)"/.exec(svg)?.[1]);
  for (const place of places) expect(Number(place.split(" ")[0])).toBeLessThan(width - 48);
});

test("largest head red, its opposite blue, zero near white; an MLP beyond them has the end colour", () => {
  const drawn = fills(panel(tiny));
  expect(drawn.get("L0.H0")).toBe("#b2182b");
  expect(drawn.get("L1.H0")).toBe("#2166ac");
  expect(drawn.get("L0.H1")).toBe("#f5f5f5");
  expect(drawn.get("L1.MLP")).toBe("#b2182b");
  expect(panel(tiny)).toContain("≥ +0.0200");
});

test("rows are layers with the last on top, columns are heads from the left", () => {
  const place = (name: string) => {
    const [, x, y] = new RegExp(
      `<title>${name} [^<]*</title><rect class="gap" x="([\\d.]+)" y="([\\d.]+)"`,
    ).exec(panel(tiny))!;
    return { x: Number(x), y: Number(y) };
  };
  expect(place("L1.H0").y).toBeLessThan(place("L0.H0").y);
  expect(place("L0.H0").x).toBeLessThan(place("L0.H1").x);
  expect(place("L1.MLP").y).toBe(place("L1.H0").y);
  expect(place("embed").y).toBeGreaterThan(place("L0.MLP").y);
});

test("says the text, its cosine, the sums of rows and of all, and names the strongest heads", () => {
  const svg = panel(tiny);
  for (const words of [
    "“a red car”",
    "cosine 0.0500",
    "sums exactly: Σ = 0.0500, error 3e-8",
    ">+0.0300<",
    ">L0.H0<",
    ">L1.H0<",
  ]) {
    expect(svg).toContain(words);
  }
  expect(svg.match(/class="outline"/g)).toHaveLength(3);
});

test("does not claim a sum that does not hold", () => {
  const svg = panel({ ...tiny, error: 0.01 });
  expect(svg).toContain("does not add up: Σ = 0.0500, error 1e-2");
  expect(svg).not.toContain("sums exactly");
});

test("a shared scale gives the same value the same colour in two matrices", () => {
  const weaker = { ...tiny, heads: tiny.heads.map((head) => ({ ...head, value: head.value / 2 })) };
  const scale = signedScale(sharedLimit([tiny, weaker]));
  const drawn = [tiny, weaker].map((input) => fills(contributionMatrix(input, scale).body));
  expect(scale.limit).toBe(0.02);
  expect(drawn[1].get("L0.H0")).toBe(scale.colour(0.01));
  expect(drawn[1].get("L0.H0")).toBe(drawn[0].get("L1.H1"));
});

test("ranks components by size whatever their sign, and texts by similarity", () => {
  expect(rankContributions(tiny).map(({ name }) => name)).toEqual([
    "L1.MLP",
    "L0.H0",
    "L1.H0",
    "L1.H1",
    "embed",
    "L0.MLP",
    "L0.H1",
  ]);
  const texts = [0.1, 0.3, 0.2].map((similarity) => ({ ...tiny, similarity }));
  expect(rankTexts(texts).map(({ similarity }) => similarity)).toEqual([0.3, 0.2, 0.1]);
});

test("a model of which only some heads are given is drawn with gaps", () => {
  const some = { ...tiny, heads: [tiny.heads[3]], mlps: [] };
  expect([...fills(panel(some)).keys()]).toEqual(["L1.H1"]);
});

test("a hostile text stays text and is shortened", () => {
  const svg = panel({
    ...tiny,
    text: `</text><script>alert("1")</script>${"x".repeat(5000)}`,
  });
  expect(svg).not.toContain("<script");
  expect(svg).toContain("“&lt;/text&gt;&lt;script&gt;");
  expect(svg).not.toContain("x".repeat(200));
});

test("frames and names no head whose number is zero", () => {
  const nothing = {
    ...{ ...tiny, similarity: 0, sum: 0 },
    heads: tiny.heads.map((head) => ({ ...head, value: 0 })),
    mlps: tiny.mlps.map((mlp) => ({ ...mlp, value: 0 })),
  };
  expect(panel(nothing)).not.toContain('class="outline"');
  expect(panel(nothing)).not.toContain("strongest heads");
});

test("of one head a layer, nothing is cut off and no words lie on others", () => {
  const narrow = sampleMatrix("a cat", { layers: 12, heads: 1 });
  const { width, body } = contributionPanel(narrow);
  for (const [, x, own] of body.matchAll(/<rect [^>]*x="([\d.]+)"[^>]* width="([\d.]+)"/g))
    expect(Number(x) + Number(own)).toBeLessThanOrEqual(width);
  const baselineOf = (words: string) => new RegExp(`y="([\\d.]+)"[^>]*>${words}`).exec(body)![1];
  expect(baselineOf("strongest heads")).not.toBe(baselineOf("sums exactly"));
});
