/**
 * The library in a page, best in a Web Worker: the model's files are read from any server that allows the page, and pictures stay in
 * the tab. `onnxruntime-web` is the page's own. A bundler makes a script of this file; `npm run build:page` builds a whole app of it.
 */
import { allHeads, explainImage, openWebModel, segmentImage } from "clip-interpret/browser";
import { InferenceSession, Tensor } from "onnxruntime-web/wasm";

/** Why a picture is like a text, and where: the strongest heads, and the patch that speaks most for it. */
export async function lookAt(models: string, picture: string | Uint8Array, text: string) {
  const model = await openWebModel(`${models}/emoji-4x128-p8`, { runtime: { InferenceSession, Tensor } });
  const [why] = (await explainImage(model, picture, [text])).texts;
  const [where] = (await segmentImage(model, picture, [text], { set: allHeads(model.geometry) })).texts;
  await model.release();
  const flat = where.values.flat();
  const best = flat.indexOf(Math.max(...flat));
  return {
    similarity: why.similarity,
    row: Math.floor(best / where.values[0].length),
    column: best % where.values[0].length,
  };
}
