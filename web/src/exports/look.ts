import { csvOf } from "../../../src/views/kit/csv.ts";
import type { Cover } from "../../../src/views/kit/panel.ts";
import { type LookResult, lookPictures, lookSvg } from "../../../src/views/look/svg.ts";
import { type ExplainResult, post, type SegmentResult } from "../state/api.ts";
import { type ExportSet, encodePng, originalPixels } from "./save.ts";

/** What a look is of. */
interface Looked {
  readonly image: string;
  readonly text: string;
  readonly heads: string;
  readonly corpus: string;
}

/** The look at one picture as files: the map of the chosen heads, and what every component added to each text's score. */
export function lookExports(
  { image, text, heads, corpus }: Looked,
  explanation: ExplainResult,
  cover: Cover,
): ExportSet {
  const model = explanation.origin.model.name;
  const look = async (): Promise<LookResult> => {
    const asked = { model, image, texts: [text], heads, corpus, mode: "topic" };
    return { explanation, segmentation: await post<SegmentResult>("/api/segment", asked) };
  };
  return {
    async svg() {
      const looked = await look();
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
