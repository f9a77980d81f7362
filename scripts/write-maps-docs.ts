/** Measures how true the default model's maps are and writes the numbers into docs/: `npm run docs:maps`. */
import { readFileSync, writeFileSync } from "node:fs";
import { MAPS_PAGE, measureMaps, withMaps } from "./maps-tables.ts";

const page = new URL(`../docs/${MAPS_PAGE}`, import.meta.url);
const result = await measureMaps();
writeFileSync(page, withMaps(readFileSync(page, "utf8"), result));
