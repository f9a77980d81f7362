import { sampleOrigin } from "../../results/origin.fixture.ts";
import type { SegmentedText, SegmentResult } from "../../results/segment.ts";
import { headOf } from "../../results/shapes.ts";

/** A text with the map of it alone, patches in reading order, and the CLS token's share; null where the model has no such token. */
export interface SampleText {
  readonly text: string;
  readonly map: readonly number[];
  readonly cls?: number | null;
}

/** What is not as always. */
interface About extends Partial<Omit<SegmentResult, "origin" | "texts" | "winners">> {
  readonly model?: string;
  readonly image?: string;
  readonly notice?: string;
  readonly heads?: number;
  readonly set?: string;
  /** A chosen patch, with what the heads wrote there towards each text. */
  readonly token?: (text: SegmentedText) => SegmentedText["token"];
}

const rounded = (value: number) => Math.round(value * 1e5) / 1e5;
const sumOf = (values: readonly number[]) => rounded(values.reduce((sum, value) => sum + value, 0));

/** A segmentation whose numbers agree with each other, in five decimals: square maps of these texts. */
export function sampleSegmentation(
  texts: readonly SampleText[],
  { model, image, notice, heads = 8, set = "last2", token, ...about }: About = {},
): SegmentResult {
  const side = Math.sqrt(texts[0].map.length);
  const { mode = "topic" } = about;
  const rows = <T>(values: readonly T[]): T[][] =>
    Array.from({ length: side }, (_, row) => values.slice(row * side, (row + 1) * side));
  const segmented = texts.map(({ text, map }, i): SegmentedText => {
    const others = mode === "topic" ? [] : texts.filter((_, other) => other !== i);
    const lead = (of: (one: SampleText) => number) =>
      rounded(of(texts[i]) - (others.length === 0 ? 0 : sumOf(others.map(of)) / others.length));
    const values = map.map((_, at) => lead((one) => one.map[at]));
    const patches = sumOf(values);
    const cls = texts[i].cls === null ? null : lead((one) => one.cls ?? 0);
    const sum = rounded(patches + (cls ?? 0));
    return {
      ...{ text, values: rows(values), similarity: rounded(1.5 * sum), patches, cls, sum, score: sum },
      ...{ error: 2e-9, ...(mode === "contrast" && { own: rows([...map]) }) },
    };
  });
  const ranked = texts[0].map.map((_, at) =>
    texts.map(({ map }, i) => ({ i, value: map[at] })).sort((a, b) => b.value - a.value),
  );
  return {
    origin: sampleOrigin({
      model: { ...(model !== undefined && { name: model }), notice: notice ?? null },
      image: { ...(image !== undefined && { name: image }) },
    }),
    components: {
      set,
      heads: Array.from({ length: heads }, (_, i) => ({ ...headOf(3 - (i % 2), i >> 1), weight: 1 })),
      mlps: [],
    },
    ...{ mode, scale: "common", grid: { rows: side, columns: side } },
    original: { width: 40, height: 20 },
    placement: { x: 10, y: 0, width: 20, height: 20 },
    texts: segmented.map((text) => ({ ...text, ...(token && { token: token(text) }) })),
    ...(texts.length > 1 && {
      winners: {
        text: rows(ranked.map(([first]) => first.i)),
        margin: rows(ranked.map(([first, next]) => rounded(first.value - next.value))),
        counts: texts.map((_, i) => ranked.filter(([first]) => first.i === i).length),
      },
    }),
    ...about,
  };
}
