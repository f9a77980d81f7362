import { everyHeadsTokens } from "../analysis/segmentation/every-head.ts";
import { wordsSeen } from "../analysis/words/words.ts";
import type { ClipModel } from "../model/clip-model.ts";
import { EXAMPLE_SCENE } from "../world/example-scene.ts";
import { EXAMPLE } from "./routes/models.ts";
import type { Services } from "./routes/route.ts";

/**
 * Loads what a model's first picture and text need before there are any: its graphs, while its weights are read for their hash.
 * What cannot be loaded is left to whoever asks for it, and hears why.
 */
export async function loadAhead(model: ClipModel): Promise<void> {
  const { imageSize, layers } = model.config.vision;
  const tokenLayers = Array.from({ length: layers }, (_, layer) => layer);
  await Promise.allSettled([
    model.decompose(new Float32Array(3 * imageSize ** 2), { tokenLayers }),
    model.encodeTexts([""]),
  ]);
}

/** Answers what the first page asks before anybody does: graphs are loaded then, and code is compiled. */
export async function lookAhead(
  { models, looks, stopping }: Pick<Services, "models" | "looks" | "stopping">,
  id: string,
): Promise<void> {
  const caller = { client: "the server", signal: stopping };
  const model = await models.load(id);
  const [text] = EXAMPLE_SCENE.texts;
  const look = await looks.look(model, EXAMPLE, caller);
  await everyHeadsTokens(model, look, { text, against: [] }, await looks.probes(model, [text], caller));
  await wordsSeen(model, look, await looks.words(model, text, "all", caller));
}
