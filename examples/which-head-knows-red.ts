/**
 * Which heads tell a red backdrop from a gray one? A contrast of two texts is the probe, the scene's decomposition is
 * what it reads, and the axis is components. Run it with `npm run build && npx tsx examples/which-head-knows-red.ts`.
 */
import { fileURLToPath } from "node:url";
import { contrastProbe, decomposeImage, openModel, readComponents, textProbe } from "clip-interpret";

/** A snowboarder on red. */
export const SCENE = fileURLToPath(new URL("scenes/images/0049-snowboarder.png", import.meta.url));

/** Every head's share in "red rather than gray", largest first, and the share of all components together. */
export async function whichHeadKnowsRed() {
  const model = await openModel();
  const red = await textProbe(model, "a snowboarder with a red backdrop");
  const gray = await textProbe(model, "a snowboarder with a gray backdrop");
  const { heads, sum } = readComponents(
    model,
    await decomposeImage(model, SCENE),
    contrastProbe(red, [gray]),
  );
  await model.release();
  return { heads: heads.sort((a, b) => b.value - a.value), total: sum };
}

if (process.argv[1] === import.meta.filename) {
  const { heads, total } = await whichHeadKnowsRed();
  for (const { name, value } of heads.slice(0, 5))
    console.log(`${name}  ${((100 * value) / total).toFixed(0)} %`);
}
