import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { MAPS_PAGE, measureMaps, withMaps } from "../../scripts/maps-tables.ts";

it("the numbers of maps in docs/ are those that it measures", async () => {
  const page = readFileSync(new URL(`../../docs/${MAPS_PAGE}`, import.meta.url), "utf8");
  expect(withMaps(page, await measureMaps())).toBe(page);
});
