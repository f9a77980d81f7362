/**
 * A model of one's own: a folder with a checkpoint, as open_clip, transformers or timm write it. What comes out is checked to be
 * the whole embedding. Run it with `npm run build && npx tsx examples/own-model.ts FOLDER PICTURE TEXT`.
 */
import { decomposeImage, openModel, readComponents, textProbe } from "clip-interpret";

/** The components that speak most for a text in a picture, and how far all parts are from the embedding. */
export async function whatItSays(folder: string, picture: string, text: string) {
  const model = await openModel(folder);
  const image = await decomposeImage(model, picture);
  const { heads, mlps, sum } = readComponents(model, image, await textProbe(model, text));
  await model.release();
  const named = [...heads, ...mlps.map(({ component, value }) => ({ name: component, value }))];
  const parts = named.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  return { name: model.name, error: image.error[0], sum, parts };
}

if (process.argv[1] === import.meta.filename) {
  const [folder = "models/emoji-6x192-p8", picture, text = "a monkey"] = process.argv.slice(2);
  const said = await whatItSays(folder, picture ?? "examples/scenes/images/0067-monkey.png", text);
  console.log(
    `${said.name}: ${text} ${said.sum.toFixed(4)}, all parts within ${said.error.toExponential(0)}`,
  );
  for (const { name, value } of said.parts.slice(0, 5)) console.log(`${name}  ${value.toFixed(4)}`);
}
