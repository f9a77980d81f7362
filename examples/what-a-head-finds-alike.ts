/**
 * What does one head hold alike? Index the example scenes, ask for the images nearest to one through each of two heads.
 * Run it with `npm run build && npx tsx examples/what-a-head-finds-alike.ts`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  buildIndex,
  decomposeImage,
  imageProbe,
  openIndex,
  openModel,
  parseHeads,
  readImages,
} from "clip-interpret";

const SCENES = fileURLToPath(new URL("scenes/", import.meta.url));

/** The images nearest to `image`, for each head set. */
export async function whatHeadsFindAlike(
  image: string,
  heads: readonly string[],
): Promise<Record<string, string[]>> {
  const folder = await mkdtemp(join(tmpdir(), "example-"));
  const model = await openModel();
  try {
    await buildIndex(model, SCENES, folder);
    const index = await openIndex(model, folder);
    const scene = await decomposeImage(model, join(SCENES, image));
    const found: Record<string, string[]> = {};
    for (const name of heads) {
      const set = parseHeads(model, name);
      const nearest = await readImages(index, imageProbe(model, scene, set), set);
      found[name] = nearest
        .map(({ path }) => path)
        .filter((path) => path !== image)
        .slice(0, 3);
    }
    return found;
  } finally {
    await model.release();
    await rm(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === import.meta.filename) {
  console.log(await whatHeadsFindAlike("images/0067-monkey.png", ["all,mlps", "L0.H1", "L3.H1"]));
}
