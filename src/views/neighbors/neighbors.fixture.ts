import type { NeighborGridInput, NeighborItem } from "./words.ts";

export const image = { png: new Uint8Array([137, 80, 78, 71]), width: 64, height: 64 };
const HOSTILE = [
  `<script>alert("1")</script>`,
  `"quotes" & 'more' ]]> -->`,
  "ctrl \u0000\u001b[31m \u202e reversed",
  "x".repeat(5000),
  "</svg><img src=x onerror=alert(1)>",
  "日本語のラベル".repeat(40),
];

export const item = (score: number, more: Partial<NeighborItem> = {}): NeighborItem => ({
  image,
  path: `pictures/animals/${Math.abs(score)}.png`,
  label: `label of ${score}`,
  score,
  percentile: 50,
  ...more,
});

export const input: NeighborGridInput = {
  model: "tiny",
  index: "scenes",
  images: 2000,
  query: { kind: "image", image, path: "pictures/query/elephant.png" },
  heads: "L3.H1",
  headCount: 1,
  scoring: "dot",
  distribution: { mean: 0.01, deviation: 0.02, least: -0.05, median: 0.02, most: 0.05 },
  rows: [
    { title: "most similar", items: [item(0.05, { percentile: 99.95 }), item(0.0412)] },
    { title: "least similar", items: [item(-0.05, { percentile: 0 }), item(-0.0321)] },
    { title: "random", items: [item(0.0123), item(-0.0234)] },
  ],
};

export const hostile: NeighborGridInput = {
  ...input,
  model: HOSTILE[0],
  index: HOSTILE[4],
  heads: HOSTILE[1],
  notice: HOSTILE[4],
  query: { kind: "text", text: HOSTILE[0] },
  rows: HOSTILE.map((text, index) => ({
    title: text,
    items: HOSTILE.map((path) => item(index / 100, { path, label: text })),
  })),
};

export const empty: NeighborGridInput = {
  ...input,
  images: 0,
  distribution: { mean: 0, deviation: 0, least: 0, median: 0, most: 0 },
  rows: [],
};

export const withRows = (...rows: NeighborItem[][]) => ({
  ...input,
  rows: rows.map((items, index) => ({ title: `row ${index}`, items })),
});
