import { beforeAll, expect, it } from "vitest";
import { type Bundle, bundleBrowser } from "../support/bundle-browser.ts";

let bundle: Bundle;
beforeAll(async () => {
  bundle = await bundleBrowser("src/public/browser.ts");
});

it("the library for browsers is made of nothing that is Node's", () => {
  expect(bundle.modules).toContain("src/model/clip-model.ts");
  expect(bundle.node).toEqual([]);
});

it("it brings few packages, and no runtime", () => {
  const packages = bundle.modules.flatMap(
    (path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [],
  );
  expect([...new Set(packages)].sort()).toEqual(["@huggingface/tokenizers", "lru-cache", "zod"]);
});
