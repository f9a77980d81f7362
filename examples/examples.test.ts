import { explainImage, openModel } from "clip-interpret";
import { expect, it } from "vitest";
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
