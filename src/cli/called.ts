import { isAbsolute, relative } from "node:path";
import type { Environment } from "../support/environment.ts";
import { shellWord } from "./strings.ts";

/** What the program is called where it is installed. */
export const INSTALLED = "clip-interpret";

/**
 * How the program was called, to be typed again in the same folder: `clip-interpret` where it is installed, `npx clip-interpret`,
 * or the path of its script.
 * @param script `process.argv[1]`
 */
export function calledAs(script: string | undefined, environment: Environment, folder: string): string {
  // What an installation links to its name is a script in node_modules.
  if (script === undefined || !/\.[cm]?[jt]s$/.test(script) || /[/\\]node_modules[/\\]/.test(script))
    return environment.npm_command === "exec" ? `npx ${INSTALLED}` : INSTALLED;
  const near = relative(folder, script);
  const shown = near.startsWith("..") || isAbsolute(near) ? script : near;
  return `${script.endsWith("ts") ? "npx tsx" : "node"} ${shellWord(shown)}`;
}

/** A sentence with the commands in it as they can be typed here. */
export const asCalled = (text: string, called: string): string =>
  text.replaceAll(`\`${INSTALLED} `, `\`${called} `);
