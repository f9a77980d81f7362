/**
 * What does one head hold alike? Index the example scenes, ask for the images nearest to one through each of two heads.
 * Run it with `npx tsx examples/what-a-head-finds-alike.ts`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  buildIndex,
  createModelLoader,
  createSearch,
  DEFAULT_MODEL,
  findNeighbors,
  imageQuery,
  openIndex,
  parseComponents,
  scanSource,
} from "../src/index.ts";

const SCENES = fileURLToPath(new URL("scenes/", import.meta.url));

/** The labels of the images nearest to `image`, for each head set. */
export async function whatHeadsFindAlike(
  image: string,
  heads: readonly string[],
): Promise<Record<string, string[]>> {
  const folder = await mkdtemp(join(tmpdir(), "example-"));
  const models = createModelLoader();
  try {
    const model = await models.load(DEFAULT_MODEL);
    await buildIndex(model, await scanSource(SCENES), folder);
    const index = await openIndex(folder);
    const search = createSearch(index, model.geometry, model.matmul);
    const found: Record<string, string[]> = {};
    const query = await imageQuery(model, index, join(SCENES, image));
    for (const name of heads) {
      const set = parseComponents(name, model.geometry);
      const { neighbors } = await findNeighbors(model, search, query, { name, set }, { k: 3 });
      found[name] = neighbors.map(({ path }) => path);
    }
    return found;
  } finally {
    await models.release();
    await rm(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === import.meta.filename) {
  console.log(await whatHeadsFindAlike("images/0067-monkey.png", ["all,mlps", "L0.H1", "L3.H1"]));
}
