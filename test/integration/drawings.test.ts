/** The drawings that come with the package are those of the icon sets, unchanged. */
import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { drawingsFile } from "../../scripts/drawings.ts";
import { STYLES } from "../../src/world/factors.ts";

it.each(STYLES)("$iconSet draws every concept as its package does", async ({ iconSet }) => {
  const kept = await readFile(new URL(`../../assets/drawings/${iconSet}.json`, import.meta.url), "utf8");
  // Compared as one, since the difference of two such texts is more than anyone reads.
  expect(kept === (await drawingsFile(iconSet))).toBe(true);
});
