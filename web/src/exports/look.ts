import { csvOf } from "../../../src/views/kit/csv.ts";
import type { Cover } from "../../../src/views/kit/panel.ts";
import { type LookResult, lookPictures, lookSvg } from "../../../src/views/look/svg.ts";
import { type ExplainResult, post, type SegmentResult } from "../state/api.ts";
import { type ExportSet, encodePng, originalPixels } from "./save.ts";

/** What a look is of. */
interface Looked {
  readonly image: string;
  readonly text: string;
  /** A text that is taken off the first. */
  readonly against: string | null;
  readonly heads: string;
  readonly corpus: string;
}

/** The look at one picture as files: the map of the chosen heads, and what every component added to each text's score. */
export function lookExports(
  { image, text, against, heads, corpus }: Looked,
  explanation: ExplainResult,
  cover: Cover,
): ExportSet {
  const model = explanation.origin.model.name;
  const look = async (): Promise<LookResult> => {
    const of =
      against === null ? { texts: [text], mode: "topic" } : { texts: [text, against], mode: "contrast" };
    const asked = { model, image, heads, corpus, ...of };
    return { explanation, segmentation: await post<SegmentResult>("/api/segment", asked) };
  };
  return {
    async svg() {
      const looked = held(await look(), against);
      const pixels = await originalPixels(image, looked.segmentation);
      return lookSvg(looked, await lookPictures(looked, pixels, encodePng, cover));
    },
    csv: () =>
      csvOf(
        explanation.origin,
        ["text", "component", "contribution"],
        explanation.texts.flatMap((one) => [
          ...one.heads.map(({ name, value }) => [one.text, name, value]),
          ...one.mlps.map(({ component, value }) => [one.text, component, value]),
        ]),
      ),
    json: look,
  };
}

/** A look at one text against another: one map, and a matrix of differences. */
function held(looked: LookResult, against: string | null): LookResult {
  if (against === null) return looked;
  const { explanation, segmentation } = looked;
  const [map] = segmentation.texts;
  const [one, other] = [map.text, against].map((text) =>
    explanation.texts.find((found) => found.text === text),
  );
  if (!one || !other) return looked;
  const text = `${one.text} (against: ${other.text})`;
  const sum = one.sum - other.sum;
  const similarity = one.similarity - other.similarity;
  const difference = {
    ...{ text, similarity, sum, error: Math.abs(sum - similarity) },
    heads: one.heads.map((head, i) => ({ ...head, value: head.value - other.heads[i].value })),
    mlps: one.mlps.map((mlp, i) => ({ ...mlp, value: mlp.value - other.mlps[i].value })),
  };
  return {
    explanation: { ...explanation, texts: [difference] },
    segmentation: { ...segmentation, texts: [{ ...map, text }] },
  };
}
