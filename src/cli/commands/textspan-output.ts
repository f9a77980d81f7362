import { extname } from "node:path";
import { ClipInterpretError } from "../../support/errors.ts";
import { writeWhole } from "../../support/files.ts";
import { textspanHtml } from "../../views/textspan/page.ts";
import { textspanSvg } from "../../views/textspan/svg.ts";
import { textspanTerminal } from "../../views/textspan/terminal.ts";
import type { AnyTextspan } from "../../views/textspan/words.ts";
import type { CommandContext } from "../context.ts";
import { writePictures } from "../pictures.ts";

const KINDS = [".json", ".html", ".png", ".svg"];

/** Sees before the work that every output can be written as its name says. @throws `USAGE` */
export function checkOutputs(paths: readonly string[]): void {
  for (const path of paths) {
    if (KINDS.includes(extname(path).toLowerCase())) continue;
    throw new ClipInterpretError("USAGE", `--out ${path} is none of ${KINDS.join(", ")}`);
  }
}

/** Writes a result in each form asked for, and prints it. @throws `OUTPUT_UNWRITABLE` */
export async function writeTextspan(
  { streams, say, result: print }: CommandContext,
  result: AnyTextspan,
  paths: readonly string[],
): Promise<void> {
  for (const path of paths) {
    if (extname(path).toLowerCase() === ".json")
      await writeWhole(path, `${JSON.stringify(result, null, 1)}\n`);
    else await writePictures([path], { svg: () => textspanSvg(result), html: () => textspanHtml(result) });
  }
  print(result, () => textspanTerminal(result, { columns: streams.stdout.columns ?? 80 }));
  for (const path of paths) say(`written: ${path}`);
}
