/** Writes the tables of docs/models.md. */
import { readFileSync, writeFileSync } from "node:fs";
import { withTables } from "./model-tables.ts";

const page = new URL("../docs/models.md", import.meta.url);
writeFileSync(page, withTables(readFileSync(page, "utf8")));
