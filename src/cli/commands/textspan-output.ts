import { extname } from "node:path";
import type { FromWeightsResult } from "../../results/from-weights.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { writeWhole } from "../../support/files.ts";
import { fromWeightsHtml } from "../../views/from-weights/page.ts";
import { fromWeightsSvg } from "../../views/from-weights/svg.ts";
import { fromWeightsTerminal } from "../../views/from-weights/terminal.ts";
import { textspanHtml } from "../../views/textspan/page.ts";
import { textspanSvg } from "../../views/textspan/svg.ts";
import { textspanTerminal } from "../../views/textspan/terminal.ts";
import type { AnyTextspan } from "../../views/textspan/words.ts";
import type { CommandContext } from "../context.ts";
import { type Drawing, writePictures } from "../pictures.ts";

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
  result: AnyTextspan | FromWeightsResult,
  paths: readonly string[],
): Promise<void> {
  const drawing = drawingOf(result);
  for (const path of paths) {
    if (extname(path).toLowerCase() === ".json")
      await writeWhole(path, `${JSON.stringify(result, null, 1)}\n`);
    else await writePictures([path], drawing);
  }
  print(result, () => drawing.terminal({ columns: streams.stdout.columns ?? 80 }));
  for (const path of paths) say(`written: ${path}`);
}

/** A result's views. */
function drawingOf(
  result: AnyTextspan | FromWeightsResult,
): Drawing & { readonly terminal: (room: { readonly columns: number }) => string } {
  if ("weighting" in result) {
    return {
      svg: () => fromWeightsSvg(result),
      html: () => fromWeightsHtml(result),
      terminal: (room) => fromWeightsTerminal(result, room),
    };
  }
  return {
    svg: () => textspanSvg(result),
    html: () => textspanHtml(result),
    terminal: (room) => textspanTerminal(result, room),
  };
}
