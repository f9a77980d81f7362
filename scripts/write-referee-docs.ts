/**
 * Writes what the referee says of the embedded models into docs/, and its picture.
 *
 *   npm run docs:referee -- report/referee.json
 *
 * after `clip-interpret referee --out report/`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { refereeResultSchema } from "../src/results/referee.ts";
import { svgToPng } from "../src/views/kit/png.ts";
import { refereeSvg } from "../src/views/referee/svg.ts";
import { withBlocks } from "./blocks.ts";
import { refereeBlocks } from "./referee-tables.ts";

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error("which referee.json?");
const referee = refereeResultSchema.parse(JSON.parse(readFileSync(path, "utf8")));
const blocks = refereeBlocks(referee);
const page = new URL("../docs/referee.md", import.meta.url);
writeFileSync(page, withBlocks(readFileSync(page, "utf8"), "referee", Object.keys(blocks), blocks));
writeFileSync(new URL("../docs/images/referee.png", import.meta.url), await svgToPng(refereeSvg(referee)));
