import type { Neighbor, NeighborsResult } from "../../src/results/neighbors.ts";
import { sampleOrigin } from "../../src/results/origin.fixture.ts";
import { headsNamed, withRows } from "../../src/views/neighbors/neighbors.fixture.ts";
import { neighborsHtml } from "../../src/views/neighbors/page.ts";
import { neighborsSvg } from "../../src/views/neighbors/svg.ts";
import { neighborsTerminal } from "../../src/views/neighbors/terminal.ts";
import type { Gallery } from "./picture.ts";
import { scene } from "./stored-png.ts";

/** What could be found: a file, its label, and its picture. */
const FOUND = [
  { path: "pictures/balls/red.png", label: "red ball", image: scene(12, 12) },
  { path: "pictures/balls/orange.png", label: "orange ball", image: scene(12, 12, { ball: "#f08000" }) },
  {
    path: "pictures/balls/at-night.png",
    label: "red ball at night",
    image: scene(12, 12, { sky: "#102040" }),
  },
  { path: "pictures/balls/wide.png", label: "wide scene", image: scene(16, 8) },
  { path: "pictures/balls/tall.png", label: "tall scene", image: scene(8, 16, { ball: "#2060c0" }) },
  { path: "pictures/balls/green.png", label: "green ball", image: scene(12, 12, { ball: "#108040" }) },
];

const found = (row: number, score: number, percentile: number, more: Partial<Neighbor> = {}): Neighbor => {
  const { path, label } = FOUND[row];
  return { row, id: String(row), path, label, score, percentile, ...more };
};
const pictures = {
  query: scene(24, 24),
  pictureOf: new Map(FOUND.map(({ image }, row) => [String(row), image])),
};
const draw = (result: NeighborsResult) => neighborsSvg(result, pictures);

const byImage: NeighborsResult = {
  ...withRows([found(0, 0.0512, 99.95), found(1, 0.0412, 99.9), found(2, 0.0398, 99.8)]),
  origin: sampleOrigin({
    model: { name: "world-tiny" },
    index: {},
    image: { name: "pictures/query/ball.png" },
  }),
  query: { image: "pictures/query/ball.png" },
  distribution: { mean: 0.0052, deviation: 0.0181, least: -0.0503, median: 0.0061, most: 0.0512 },
  least: [found(5, -0.0503, 0), found(4, -0.0321, 0.05), found(3, -0.0318, 0.1)],
  random: [found(3, 0.0123, 54.3), found(2, -0.0234, 12), found(1, 0.0001, 48.97)],
};
const byText: NeighborsResult = {
  ...byImage,
  origin: sampleOrigin({ model: { name: "world-tiny" }, index: {} }),
  query: { text: "a red ball on the grass" },
  ...{ components: headsNamed("last2", 8), scoring: "cosine" },
  distribution: { mean: 0.1203, deviation: 0.0417, least: -0.0214, median: 0.1188, most: 0.3122 },
  neighbors: [found(0, 0.3122, 100), found(2, 0.2876, 99.95)],
  least: [found(5, -0.0214, 0), found(4, -0.0101, 0.05)],
  random: [found(1, 0.1301, 61), found(3, 0.0988, 33.3)],
};
const inCommon: NeighborsResult = {
  ...byText,
  common: {
    neighbors: [
      { factor: "background", value: "green", share: 0.875, overall: 0.082, p: 2e-6 },
      { factor: "concept", value: "ball", share: 0.5, overall: 0.05, p: 0.004 },
    ],
    least: [{ factor: "style", value: "flat", share: 0.75, overall: 0.251, p: 0.03 }],
    leftOut: [],
  },
};
const byDeviations: NeighborsResult = {
  ...byText,
  ...{ components: headsNamed("colour", 3), scoring: "z" },
  distribution: { mean: 0, deviation: 1, least: -2.871, median: -0.043, most: 3.418 },
  neighbors: [found(0, 3.418, 100), found(1, 2.9, 99.95)],
  least: [found(5, -2.871, 0), found(2, -2.5, 0.05)],
  random: [found(4, -0.51, 31.25), found(3, 0, 52)],
};
const nothing: NeighborsResult = {
  ...byText,
  searched: 0,
  distribution: { mean: 0, deviation: 0, least: 0, median: 0, most: 0 },
  ...{ neighbors: [], least: [], random: [] },
};
/** Ten items, the first line full; some files gone, some without label. */
const many: NeighborsResult = {
  ...byImage,
  neighbors: Array.from({ length: 10 }, (_, i) => {
    const gone = i % 4 === 2 ? { id: "gone" } : {};
    const bare = i % 3 === 1 ? { label: null } : {};
    return found(i % FOUND.length, 0.0512 - i * 0.003, 99.95 - i, { ...gone, ...bare });
  }),
  ...{ least: [], random: [] },
};
const LONG =
  "a red ball that somebody left on the grass before a pale blue sky on a sunny afternoon, ".repeat(3);
const long: NeighborsResult = {
  ...byText,
  origin: sampleOrigin({
    model: {
      name: "ViT-L-14-336 pretrained on two billion pairs of images and texts from the web",
      notice:
        "This index was made with another version of the model: its images should be read again before a score is believed.",
    },
    index: { name: "all of my photographs since 2009, with those of the family and the neighbours" },
  }),
  query: { text: LONG },
  components: headsNamed("L21.H3,L21.H11,L22.H0,L22.H8,L22.H15,L23.H2", 6),
  neighbors: [
    found(0, 0.3122, 99.95, {
      path: "/home/somebody/pictures/of the family/summer 2019/at the lake/IMG_2019_07_21_red_ball.jpeg",
      label: "a red ball on the grass at the lake",
    }),
    found(1, 0.2, 90, { label: "كرة حمراء على العشب", path: "صور/كرة.png" }),
    found(2, 0.19, 89, { label: "芝生の上の赤いボール", path: "写真/赤いボール.png" }),
  ],
};

export const neighbors: Gallery = {
  title: "nearest images",
  pictures: [
    {
      name: "neighbors/by-image.svg",
      shows:
        "The nearest to an image by dot product: three rows, negative scores with a minus, and all scores as ticks over grey for mean ± deviation.",
      draw: () => draw(byImage),
    },
    {
      name: "neighbors/by-text.svg",
      shows:
        "The nearest to a text, which stands in quotes where the image would, by cosine through eight heads.",
      draw: () => draw(byText),
    },
    {
      name: "neighbors/by-deviations.svg",
      shows: "Scores in standard deviations, with two decimals.",
      draw: () => draw(byDeviations),
    },
    {
      name: "neighbors/in-common.svg",
      shows:
        "What the nearest and the least similar have more often than all images, at the end of the sentence below.",
      draw: () => draw(inCommon),
    },
    {
      name: "neighbors/one-row.svg",
      shows: "One image in the first row, none in the others.",
      draw: () => draw({ ...byImage, neighbors: [byImage.neighbors[0]], least: [], random: [] }),
    },
    {
      name: "neighbors/many.svg",
      shows:
        "Ten images in two lines, some files gone, some without label (the file's name is then larger), and rows with no images.",
      draw: () => draw(many),
    },
    {
      name: "neighbors/nothing-searched.svg",
      shows: "An empty index: no rows, and a sentence that says so.",
      draw: () => draw(nothing),
    },
    {
      name: "neighbors/all-the-same.svg",
      shows:
        "All images with the same score: the ticks are in the middle, and a sentence says that none is nearer.",
      draw: () =>
        draw({
          ...byImage,
          distribution: { mean: 0.02, deviation: 0, least: 0.02, median: 0.02, most: 0.02 },
          neighbors: [found(0, 0.02, 0), found(1, 0.02, 0)],
          least: [found(2, 0.02, 0), found(3, 0.02, 0)],
          random: [found(5, 0.02, 0)],
        }),
    },
    {
      name: "neighbors/long-words.svg",
      shows: "A long text, long names, Arabic and Japanese labels, and a notice: all inside their places.",
      draw: () => draw(long),
    },
    {
      name: "neighbors/page.html",
      shows: "The page of the search by image, with a row of no images and a label that is missing.",
      draw: () =>
        neighborsHtml(
          {
            ...byImage,
            neighbors: [byImage.neighbors[0], { ...byImage.neighbors[1], label: null }],
            least: [],
          },
          pictures,
        ),
    },
    {
      name: "neighbors/80-columns.txt",
      shows: "The search by image in 80 columns.",
      draw: () => neighborsTerminal(byImage, { columns: 80 }),
    },
    {
      name: "neighbors/80-columns-many.txt",
      shows: "Ten images, their ranks right-aligned, and rows with no images.",
      draw: () => neighborsTerminal(many, { columns: 80 }),
    },
    {
      name: "neighbors/80-columns-deviations.txt",
      shows: "Scores in standard deviations.",
      draw: () => neighborsTerminal(byDeviations, { columns: 80 }),
    },
    {
      name: "neighbors/80-columns-in-common.txt",
      shows:
        "What the nearest have more often than all images; of the least similar nothing, nor of a factor with too many values.",
      draw: () =>
        neighborsTerminal(
          { ...inCommon, common: { ...inCommon.common!, least: [], leftOut: ["caption"] } },
          { columns: 80 },
        ),
    },
    {
      name: "neighbors/40-columns.txt",
      shows: "The long words in 40 columns: paths lose their first folders, then are cut.",
      draw: () => neighborsTerminal(long, { columns: 40 }),
    },
    {
      name: "neighbors/60-columns.txt",
      shows: "The long words in 60 columns, with a path of which the last two parts are left.",
      draw: () => {
        const path = "/home/somebody/photographs/lake/ball.png";
        return neighborsTerminal(
          { ...long, neighbors: [found(0, 0.3122, 99.95, { path })] },
          { columns: 60 },
        );
      },
    },
    {
      name: "neighbors/52-columns.txt",
      shows: "A path without its first folder, which is the only one that does not fit.",
      draw: () =>
        neighborsTerminal(
          {
            ...byImage,
            neighbors: [found(0, 0.0512, 99.95, { path: "photographs/lake/ball.png" })],
          },
          { columns: 52 },
        ),
    },
    {
      name: "neighbors/40-columns-nothing.txt",
      shows: "An empty index.",
      draw: () => neighborsTerminal(nothing, { columns: 40 }),
    },
  ],
};
