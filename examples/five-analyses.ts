/**
 * The five analyses of CLIP-InterpreT on one picture and an index of others. Run it with
 * `npm run build && node dist/cli/main.js index examples/scenes --out out/scenes.index && npx tsx examples/five-analyses.ts`.
 */
import { findNeighbors, openIndex, openModel, parseHeads, segmentImage } from "clip-interpret";

/** What heads of colours and one head hold alike, what the head finds for a text, and where the last layers see which text. */
export async function fiveAnalyses(folder: string, image: string) {
  const model = await openModel();
  const index = await openIndex(model, folder);
  const colors = parseHeads(model, "colors", { colors: ["L0.H1", "L1.H0"] });
  const head = parseHeads(model, "L1.H0");
  const late = parseHeads(model, "last2");
  const [alike, byHead, byText] = [
    await findNeighbors(model, index, { image }, colors, { k: 3 }),
    await findNeighbors(model, index, { image }, head, { k: 3 }),
    await findNeighbors(model, index, { text: "a red background" }, head, { k: 3 }),
  ].map(({ neighbors }) => neighbors.map(({ path, score }) => ({ path, score })));
  const [{ values, score }] = (await segmentImage(model, image, ["a monkey"], { set: late })).texts;
  const texts = ["a monkey", "a purple backdrop"];
  const { winners } = await segmentImage(model, image, texts, { set: late, mode: "contrast" });
  await model.release();
  return { alike, byHead, byText, topic: { values, score }, contrast: winners?.text ?? [] };
}

if (process.argv[1] === import.meta.filename) {
  const found = await fiveAnalyses("out/scenes.index", "examples/scenes/images/0067-monkey.png");
  for (const name of ["alike", "byHead", "byText"] as const)
    console.log(name, found[name].map(({ path, score }) => `${path} ${score.toFixed(3)}`).join(", "));
  for (const row of found.contrast) console.log(row.map((text) => "M."[text]).join(""));
}
