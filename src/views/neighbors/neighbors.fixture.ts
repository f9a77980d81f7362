import type { Neighbor, NeighborsResult } from "../../results/neighbors.ts";
import { sampleOrigin } from "../../results/origin.fixture.ts";
import { headOf } from "../../results/shapes.ts";
import type { NeighborsPictures } from "./words.ts";

export const image = { png: new Uint8Array([137, 80, 78, 71]), width: 64, height: 64 };
const HOSTILE = [
  `<script>alert("1")</script>`,
  `"quotes" & 'more' ]]> -->`,
  "ctrl \u0000\u001b[31m \u202e reversed",
  "x".repeat(5000),
  "</svg><img src=x onerror=alert(1)>",
  "日本語のラベル".repeat(40),
];

export const item = (score: number, more: Partial<Neighbor> = {}): Neighbor => ({
  row: 0,
  id: `image of ${score}`,
  path: `pictures/animals/${Math.abs(score)}.png`,
  label: `label of ${score}`,
  score,
  percentile: 50,
  ...more,
});

/** A set of so many heads with weight 1, under a name. */
export const headsNamed = (set: string, count: number): NeighborsResult["components"] => ({
  set,
  heads: Array.from({ length: count }, (_, i) => ({ ...headOf(3, i + 1), weight: 1 })),
  mlps: [],
});

export const result: NeighborsResult = {
  origin: sampleOrigin({ model: {}, index: {}, image: { name: "pictures/query/elephant.png" } }),
  query: { image: "pictures/query/elephant.png" },
  components: headsNamed("L3.H1", 1),
  scoring: "dot",
  ...{ searched: 2000, excluded: 0 },
  distribution: { mean: 0.01, deviation: 0.02, least: -0.05, median: 0.02, most: 0.05 },
  neighbors: [item(0.05, { percentile: 99.95 }), item(0.0412)],
  least: [item(-0.05, { percentile: 0 }), item(-0.0321)],
  random: [item(0.0123), item(-0.0234)],
  common: null,
};

/** The same picture for the query and for every image of a result, unless another is given; null: it is gone. */
export const picturesOf = (
  { query, neighbors, least, random }: NeighborsResult,
  picture: NeighborsPictures["query"] = image,
): NeighborsPictures => ({
  query: "image" in query ? (picture ?? image) : null,
  pictureOf: new Map([...neighbors, ...least, ...random].map(({ id }) => [id, picture])),
});

/** A result of a search for a text. */
export const forText = (text: string, more: Partial<NeighborsResult> = {}): NeighborsResult => ({
  ...result,
  ...{ origin: sampleOrigin({ model: {}, index: {} }), query: { text }, ...more },
});

export const hostile = forText(HOSTILE[0], {
  origin: sampleOrigin({ model: { name: HOSTILE[0], notice: HOSTILE[4] }, index: { name: HOSTILE[4] } }),
  components: headsNamed(HOSTILE[1], 1),
  neighbors: HOSTILE.map((path, index) => item(index / 100, { path, label: HOSTILE[0], id: HOSTILE[2] })),
  least: HOSTILE.map((path, index) => item(index / 100, { path, label: HOSTILE[index] })),
  random: HOSTILE.map((path, index) => item(index / 100, { path, label: HOSTILE[4] })),
});

export const empty: NeighborsResult = {
  ...result,
  searched: 0,
  distribution: { mean: 0, deviation: 0, least: 0, median: 0, most: 0 },
  ...{ neighbors: [], least: [], random: [] },
};

export const withRows = (neighbors: Neighbor[], least: Neighbor[] = []): NeighborsResult => ({
  ...result,
  ...{ neighbors, least, random: [] },
});
