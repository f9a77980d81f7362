import { sampleOrigin } from "../../src/results/origin.fixture.ts";
import type { WordsResult } from "../../src/results/words.ts";
import { wordsHtml } from "../../src/views/words/page.ts";
import { wordsPictures } from "../../src/views/words/pictures.ts";
import { wordsSvg } from "../../src/views/words/svg.ts";
import { wordsTerminal } from "../../src/views/words/terminal.ts";
import { canvas, mapOf } from "./heat.ts";
import type { Gallery } from "./picture.ts";
import { drawn } from "./stored-png.ts";

const GRID = 4;
/** A picture wider than the square that the model saw. */
const CROPPED = canvas(60, 40, { x: 10, y: 0, width: 40, height: 40 });
const rounded = (value: number) => Math.round(value * 1e5) / 1e5;
const sumOf = (values: readonly number[]) => rounded(values.reduce((sum, value) => sum + value, 0));

/** A text's word, strongest at a patch, with its shares of CLS token and MLPs. */
function word(text: string, row: number, column: number, top: number, ...more: readonly [number, number]) {
  const values = mapOf(GRID, { row, column }, top);
  const shares = [sumOf(values), ...more];
  const map = Array.from({ length: GRID }, (_, y) => values.slice(y * GRID, (y + 1) * GRID));
  return { text, pieces: [`${text}</w>`], shares, value: sumOf(shares), map };
}

const words = [
  word("a", 1, 1, 0.0011, -0.0002, 0.0004),
  word("red", 2, 1, 0.0187, 0.0003, -0.0121),
  word("ball", 2, 1, 0.0312, 0.0007, 0.0214),
];
const rest = [
  { text: "start token", shares: [0.0067, -0.0007, 0.0015], value: 0.0075 },
  { text: "end token", shares: [0.0008, 0.0002, 0.0031], value: 0.0041 },
  { text: "MLPs", shares: [0.0485, -0.0008, 0.0104], value: 0.0581 },
];
const wordsByPatches = sumOf(words.map(({ shares }) => shares[0]));
const sum = sumOf([...words, ...rest].map(({ value }) => value));

const result: WordsResult = {
  origin: sampleOrigin({ model: { name: "world-tiny" }, image: { name: "pictures/ball.png" } }),
  ...{ text: "a red ball", similarity: sum, textComponents: { set: "all", heads: [] } },
  components: { set: "all", heads: [], mlps: [] },
  grid: { rows: GRID, columns: GRID },
  original: { width: 480, height: 320 },
  placement: { x: 80, y: 0, width: 320, height: 320 },
  image: ["patches", "CLS token", "MLPs"],
  ...{ words, rest, wordsByPatches, remainder: rounded(sum - wordsByPatches), sum },
  ...{ error: 4e-8, textError: 2e-7, imageError: 1e-7 },
  token: {
    ...{ row: 2, column: 1 },
    words: [...words].reverse().map(({ text, map }) => ({ text, value: map[2][1] })),
  },
  pairs: [
    { text: "T2.H1", image: "L3.H0", value: 0.01234 },
    { text: "T0.H3", image: "L1.H2", value: -0.00456 },
  ],
  pairCount: 192,
};
const NOTICE = "This photograph is outside the generated world that the model was trained on.";
const noticed: WordsResult = {
  ...result,
  origin: { ...result.origin, model: { ...result.origin.model, notice: NOTICE } },
  components: { set: "L2-L3", heads: [], mlps: [] },
  textComponents: { set: "T2.H1", heads: [] },
};

const pictures = () =>
  wordsPictures(result, CROPPED, async (rgb, width, height) => drawn(rgb, width, height).png);

export const wordsGallery: Gallery = {
  title: "which word looks where",
  pictures: [
    {
      name: "words/three-words.svg",
      shows:
        "Three words on one scale over a wide picture: “ball” and “red” on the ball, “a” all but gray; the chosen patch framed, its words listed; the whole sum as a table.",
      draw: async () => wordsSvg(result, await pictures()),
    },
    {
      name: "words/some-heads.html",
      shows:
        "The page, through some heads of both towers and with a notice: maps, the whole sum, the pairs of heads.",
      draw: async () => wordsHtml(noticed, await pictures()),
    },
    {
      name: "words/terminal.txt",
      shows: "In a terminal: a small map of each word side by side, the table, the sum and the pairs.",
      draw: () => wordsTerminal(result, { columns: 80 }),
    },
    {
      name: "words/narrow-terminal.txt",
      shows: "In a narrow terminal: maps one below the other, the table as lists.",
      draw: () => wordsTerminal(noticed, { columns: 24 }),
    },
  ],
};
