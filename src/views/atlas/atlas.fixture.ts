import {
  ATLAS_METRICS,
  type AtlasDirection,
  type AtlasEntry,
  type AtlasHeadResult,
  type AtlasPicture,
  type AtlasResult,
  type AtlasShown,
  type KnowingHeads,
} from "../../results/atlas.ts";
import { sampleOrigin } from "../../results/origin.fixture.ts";
import { headNamed } from "../../results/shapes.ts";
import type { PageContext } from "./page.ts";

const GRID = { rows: 4, columns: 4 };
const STEPS = 5;

const origin = sampleOrigin({ model: { notice: "a small model" }, index: {}, pool: {}, labels: {} });

const picture = (row: number): AtlasPicture => ({
  ...{ row, path: `images/${row}.png`, id: row.toString(16).padStart(16, "0") },
  ...{ label: row % 3 === 0 ? "cat" : null, factors: { background: row % 2 === 0 ? "red" : "blue" } },
});

const MARGIN = { mean: 0.03, low: 0.02, high: 0.04, first: 0.8, last: 0.01 };

/** A head that writes away from what it sees, with a label by hand. */
const suppressing: AtlasEntry = {
  ...headNamed("L1.H0"),
  label: { label: "places", kind: "manual", by: "Ada", date: "2025-03-04T10:00:00.000Z", ccs: 4 },
  metrics: {
    ...{ selectivity: 0.52, sign: -0.52, explained: 0.63, control: 0.3, p: 0.0099, norm: 0.148 },
    ...{ directEffect: -0.436, ablationEffect: -0.049, ccs: 4 },
  },
  strongest: {
    factor: "position",
    share: 0.52,
    beyondChance: true,
    sign: -1,
    margin: { ...MARGIN, mean: -0.03 },
  },
  texts: ["something in the middle", "the lower part", "on the left", "a spoon", "a gear"],
  groups: [0, 1, 2, 3],
};
/** A head without a label, of which everything but that is known. */
const plain: AtlasEntry = {
  ...headNamed("L0.H1"),
  label: null,
  metrics: {
    ...{ selectivity: 0.76, sign: 0.76, explained: 0.4, control: 0.35, p: 0.31, norm: 0.09 },
    ...{ directEffect: 0.2, ablationEffect: -0.01, ccs: null },
  },
  strongest: { factor: "background", share: 0.76, beyondChance: true, sign: 1, margin: MARGIN },
  texts: ["green", "white"],
  groups: [4, 5],
};
const none = Object.fromEntries(ATLAS_METRICS.map((key) => [key, null])) as AtlasEntry["metrics"];
/** A head of which only its length is known. */
const unknown: AtlasEntry = {
  ...headNamed("L0.H0"),
  ...{ label: null, strongest: null, texts: [], groups: [] },
  metrics: { ...none, norm: 0.2 },
};

const WORDS = {
  selectivity: ["selectivity", "share"],
  sign: ["signed selectivity", "signed-share"],
  explained: ["explained by texts", "share"],
  control: ["explained without meaning", "share"],
  p: ["p of the texts", "p"],
  norm: ["norm", "length"],
  directEffect: ["direct effect", "signed-share"],
  ablationEffect: ["effect of taking it away", "signed-share"],
  ccs: ["concept consistency", "count"],
} as const;

const metricsOf = (heads: readonly AtlasEntry[]): AtlasResult["metrics"] =>
  ATLAS_METRICS.map((key) => {
    const [name, unit] = WORDS[key];
    const known = heads.some(({ metrics }) => metrics[key] !== null);
    return {
      key,
      name,
      words: `what ${name} says`,
      unit,
      why: known ? null : "nothing is known of the images",
    };
  });

export const overviewOf = (heads: AtlasEntry[], about: Partial<AtlasResult> = {}): AtlasResult => ({
  ...{ origin, layers: 2, headsPerLayer: 2, images: 2000, steps: STEPS, rotations: 100 },
  factors: [{ name: "background", values: 6, images: 2000 }],
  ...{ metrics: metricsOf(heads), heads, pictures: [0, 1, 2, 3, 4, 5].map(picture) },
  ...about,
});

export const overview = overviewOf([unknown, plain, suppressing]);
export const bare = overviewOf([unknown], { rotations: 0, factors: [] });

const map = (turn: number) =>
  Array.from({ length: GRID.rows * GRID.columns }, (_, i) => 0.01 * Math.sin(i + turn));
const shown = (row: number, score: number): AtlasShown => ({
  ...{ row, score, percentile: (score + 0.2) / 0.4 },
  map: row === 5 ? null : map(row),
});

const direction = (name: string, kind: AtlasDirection["kind"] = "text"): AtlasDirection => ({
  ...{ kind, name, property: kind === "text" ? "position" : null, explained: 0.17 },
  histogram: { from: -0.2, to: 0.16, counts: [1, 0, 4, 9, 16, 12, 7, 3, 0, 1] },
  common: {
    least: [],
    most: [{ factor: "position", value: "middle", share: 0.9, overall: 0.2, p: 1e-9 }],
  },
  most: [shown(0, 0.16), shown(1, 0.15)],
  least: [shown(2, -0.2), shown(3, -0.18)],
  deciles: Array.from({ length: 10 }, (_, i) => ({
    ...{ from: 0.12 - 0.04 * i, to: 0.16 - 0.04 * i },
    images: [shown(4 + (i % 2), 0.14 - 0.04 * i)],
  })),
});

const curve = (last: number) => Array.from({ length: 3 }, (_, k) => (last * (k + 1)) / 3);

/** A page with everything. */
export const page: AtlasHeadResult = {
  ...{ origin, images: 2000, entry: suppressing, previous: headNamed("L0.H1"), next: null },
  texts: [
    { index: 3, text: "something in the middle", property: "position", explained: 0.3 },
    { index: 9, text: "the lower part", property: "position", explained: 0.2 },
    { index: 4, text: "a spoon", property: null, explained: 0.1 },
  ],
  control: {
    ...{ rotations: 100, mean: curve(0.3), low: curve(0.24), high: curve(0.37), gaussian: curve(0.4) },
    ...{ ceiling: curve(0.88), p: [0.02, 0.0099, 0.0099] },
  },
  directions: [direction("something in the middle"), direction("the lower part")],
  groups: [
    {
      size: 1200,
      images: [0, 1, 2],
      common: [{ factor: "position", value: "top", share: 0.65, overall: 0.07, p: 1e-12 }],
    },
    { size: 800, images: [3, 4], common: [] },
  ],
  ...{ grid: GRID, mapLimit: 0.01 },
  look: {
    ...{ kind: "attention", words: "attention of the CLS token", images: 200, cls: 0.01 },
    values: Array.from({ length: 16 }, (_, i) => (1 + (i % 5)) / 60),
  },
  factors: [
    { factor: "position", share: 0.52, beyondChance: true, sign: -1, margin: null },
    { factor: "count", share: 0.15, beyondChance: true, sign: 1, margin: null },
    { factor: "arrangement", share: 0.05, beyondChance: true, sign: null, margin: null },
    { factor: "backdrop", share: 0.001, beyondChance: false, sign: null, margin: null },
  ],
  effects: [
    {
      ...{ factor: "position", classes: 5, images: 900, direct: -0.436, whole: 1, without: 0.994 },
      percentile: 0.2,
    },
  ],
  nearest: [{ ...headNamed("L0.H1"), label: "colours", similarity: 0.18, chance: 0.01 }],
  elsewhere: [
    {
      ...{ model: "larger", index: "other", images: 500 },
      heads: [{ ...headNamed("L4.H2"), label: null, similarity: 0.31, chance: 0.02 }],
    },
  ],
  pictures: [0, 1, 2, 3, 4, 5].map((row) => ({
    ...picture(row),
    covered: row === 5 ? null : { x: 0, y: 0, width: 1, height: 1 },
  })),
  withoutMaps: 1,
};

/** A page of a model that reads no texts, over images of which nothing is known, without maps. */
export const wordless: AtlasHeadResult = {
  ...page,
  ...{ entry: unknown, previous: null, texts: [], control: null, look: null, factors: [], effects: [] },
  directions: [direction("principal direction 1", "component")].map((one) => ({
    ...one,
    most: one.most.map((image) => ({ ...image, map: null })),
    least: one.least.map((image) => ({ ...image, map: null })),
    deciles: one.deciles.map((decile) => ({
      ...decile,
      images: decile.images.map((image) => ({ ...image, map: null })),
    })),
  })),
  ...{ groups: [], nearest: [], elsewhere: [], mapLimit: 0 },
  pictures: page.pictures.map((one) => ({ ...one, covered: null })),
  withoutMaps: 6,
};

const HOSTILE = `</script><script>alert("1")</script>\u0000\u202e${"x".repeat(500)}`;
const hostileEntry: AtlasEntry = {
  ...suppressing,
  label: { label: HOSTILE, kind: "llm", by: HOSTILE, date: null, ccs: null },
  strongest: { ...plain.strongest!, factor: HOSTILE },
  texts: [HOSTILE],
};
const hostilePictures = page.pictures.map((one) => ({
  ...one,
  ...{ label: HOSTILE, path: HOSTILE, factors: { [HOSTILE]: HOSTILE } },
}));
export const hostileOverview = overviewOf([hostileEntry], { pictures: hostilePictures });
export const hostilePage: AtlasHeadResult = {
  ...page,
  entry: hostileEntry,
  texts: [{ index: 0, text: HOSTILE, property: HOSTILE, explained: 0.3 }],
  directions: [{ ...direction(HOSTILE), property: HOSTILE }],
  groups: [
    { size: 1, images: [0], common: [{ factor: HOSTILE, value: HOSTILE, share: 1, overall: 0.1, p: 0 }] },
  ],
  factors: [{ ...page.factors[0], factor: HOSTILE }],
  effects: [{ ...page.effects[0], factor: HOSTILE }],
  nearest: [{ ...page.nearest[0], label: HOSTILE }],
  elsewhere: [{ ...page.elsewhere[0], model: HOSTILE, index: HOSTILE }],
  pictures: hostilePictures,
};

/** A context whose pictures are a colour each; that of row 5 is gone. */
export const context: PageContext = {
  picture: (row) =>
    row === 5
      ? null
      : `data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'%3E%3Cpath fill='hsl(${60 * row} 60%25 60%25)' d='M0 0h1v1H0'/%3E%3C/svg%3E`,
  href: (name) => `${name}.html`,
  ...{ metrics: overview.metrics, steps: STEPS, scriptHash: "0000" },
};

export const knowing: KnowingHeads = {
  origin: sampleOrigin({ model: {}, index: {}, pool: {} }),
  text: "a red background",
  heads: [
    { ...headNamed("L0.H1"), label: null, share: 0.059, percentile: 0.945, agreement: 0.49 },
    { ...headNamed("L1.H0"), label: suppressing.label, share: 0.035, percentile: 0.836, agreement: -0.65 },
    { ...headNamed("L0.H0"), label: null, share: 0, percentile: 0, agreement: null },
  ],
};
