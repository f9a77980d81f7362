/**
 * Two models over the same pictures, through the same steps: what each of their heads is called. What was done is
 * kept in a folder, so a run that was stopped goes on. Run it with `npm run build && npx tsx examples/study-of-two-models.ts`.
 */
import { runStudy } from "clip-interpret";

/** For each model: how many heads were looked at, and the labels that they got. */
export async function studyTwo(
  models: readonly string[],
  images: string,
  stepsFolder: string,
  quick = false,
) {
  const small = { iterations: 3, blocks: 8, resamples: 2, draws: 10, permutations: 2 };
  const { result } = await runStudy({
    ...{ models, images, stepsFolder, heads: "last2" },
    ...(quick && small),
  });
  return result.models.map((model) => ({
    name: model.origin.model.name,
    heads: model.heads.length,
    labels: model.heads.map(({ label }) => label),
  }));
}

if (process.argv[1] === import.meta.filename) {
  const models = ["emoji-4x128-p8", "emoji-6x192-p8"];
  for (const { name, heads, labels } of await studyTwo(models, "examples/scenes", "out/steps"))
    console.log(`${name}: ${heads} heads, ${new Set(labels).size} different labels`);
}
