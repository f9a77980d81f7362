/**
 * Writes the drawings of the generated world into `assets/drawings`, from the icon sets that are installed.
 *
 *   npm run drawings
 */
import { writeFile } from "node:fs/promises";
import { STYLES } from "../src/world/factors.ts";
import { drawingsFile } from "./drawings.ts";

for (const { iconSet } of STYLES) {
  await writeFile(
    new URL(`../assets/drawings/${iconSet}.json`, import.meta.url),
    await drawingsFile(iconSet),
  );
}
