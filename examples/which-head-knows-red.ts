/**
 * Which heads tell a red backdrop from a gray one? A contrast of two texts is the probe, the scene's decomposition is
 * what it reads, and the axis is components. Run it with `npx tsx examples/which-head-knows-red.ts`.
 */
import { fileURLToPath } from "node:url";
import {
  contrastProbe,
  createModelLoader,
  DEFAULT_MODEL,
  decomposeImages,
  headName,
  prepareProbe,
  scoreComponents,
  textProbe,
} from "../src/index.ts";

/** A snowboarder on red. */
export const SCENE = fileURLToPath(new URL("scenes/images/0049-snowboarder.png", import.meta.url));

/** Every head's share in "red rather than gray", largest first, and the share of all components together. */
export async function whichHeadKnowsRed() {
  const models = createModelLoader();
  const model = await models.load(DEFAULT_MODEL);
  const embeddings = await model.encodeTexts([
    "a snowboarder with a red backdrop",
    "a snowboarder with a gray backdrop",
  ]);
  const [red, gray] = [0, 1].map((text) =>
    textProbe(embeddings.subarray(text * model.config.embedDim, (text + 1) * model.config.embedDim)),
  );
  const probe = prepareProbe(model.geometry, contrastProbe(red, [gray]));
  for await (const { decomposition } of decomposeImages(model, [SCENE])) {
    if (!decomposition) throw new Error(`${SCENE} could not be decoded`);
    const { heads, mlps } = scoreComponents(model.geometry, probe, decomposition);
    const named = Array.from(heads, (value, i) => {
      const { heads: perLayer } = model.geometry;
      return { head: headName(Math.floor(i / perLayer), i % perLayer), value };
    });
    await models.release();
    return {
      heads: named.sort((a, b) => b.value - a.value),
      total: [...heads, ...mlps].reduce((sum, value) => sum + value, 0),
    };
  }
  throw new Error("no image");
}

if (process.argv[1] === import.meta.filename) {
  const { heads, total } = await whichHeadKnowsRed();
  for (const { head, value } of heads.slice(0, 5))
    console.log(`${head}  ${((100 * value) / total).toFixed(0)} %`);
}
