import { explainImage, openModel } from "clip-interpret";
import { expect, it } from "vitest";
import { whatAHeadCanWrite } from "./what-a-head-can-write.ts";
import { whatHeadsFindAlike } from "./what-a-head-finds-alike.ts";
import { SCENE, whichHeadKnowsRed } from "./which-head-knows-red.ts";

it("which-head-knows-red: all shares together are the difference of the two cosines", async () => {
  const { heads, total } = await whichHeadKnowsRed();
  const model = await openModel();
  const texts = ["a snowboarder with a red backdrop", "a snowboarder with a gray backdrop"];
  const [red, gray] = (await explainImage(model, SCENE, texts)).texts;
  await model.release();
  expect(total).toBeCloseTo(red.similarity - gray.similarity, 6);
  expect(total).toBeGreaterThan(0);
  expect(heads[0].value).toBeGreaterThan(0.2 * total);
});

it("what-a-head-finds-alike: three images a head set, without the query", async () => {
  const found = await whatHeadsFindAlike("images/0067-monkey.png", ["all,mlps", "L3"]);
  expect(Object.keys(found)).toEqual(["all,mlps", "L3"]);
  for (const paths of Object.values(found)) {
    expect(new Set(paths).size).toBe(3);
    expect(paths).not.toContain("images/0067-monkey.png");
  }
});

it("what-a-head-can-write: the third direction of L3.H1 goes from top right to bottom left", async () => {
  const { directions, chance } = await whatAHeadCanWrite("L3.H1", 3);
  expect(directions.map(({ name }) => name)).toEqual(["L3.H1@0", "L3.H1@1", "L3.H1@2"]);
  const [one, other] = directions[2].ends.map((texts) => texts.join());
  expect(one).toMatch(/upper part.*on the right/);
  expect(other).toMatch(/at the bottom.*on the left/);
  for (const { cosine } of directions) expect(cosine).toBeGreaterThan(chance!.high);
});
