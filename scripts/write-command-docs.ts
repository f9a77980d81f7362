/** Writes docs/commands.md from the commands. */
import { writeFileSync } from "node:fs";
import { createProgram } from "../src/cli/program.ts";
import { commandPage } from "./command-page.ts";

const program = await createProgram(() => async () => {});
writeFileSync(new URL("../docs/commands.md", import.meta.url), commandPage(program));
