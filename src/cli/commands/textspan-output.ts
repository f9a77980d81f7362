import { extname } from "node:path";
import { ClipInterpretError } from "../../support/errors.ts";
import { writeWhole } from "../../support/files.ts";
import { svgToPng } from "../../views/kit/png.ts";
import { textspanHtml } from "../../views/textspan/page.ts";
import { textspanSvg } from "../../views/textspan/svg.ts";
import type { TextspanInput } from "../../views/textspan/words.ts";

const KINDS = [".json", ".html", ".png", ".svg"];

/** Sees before the work that every output can be written as its name says. @throws `USAGE` */
export function checkOutputs(paths: readonly string[]): void {
  for (const path of paths) {
    if (KINDS.includes(extname(path).toLowerCase())) continue;
    throw new ClipInterpretError("USAGE", `--out ${path} is none of ${KINDS.join(", ")}`);
  }
}

/** Writes a result in each form asked for. @throws `OUTPUT_UNWRITABLE` */
export async function writeOutputs(
  paths: readonly string[],
  json: unknown,
  picture: TextspanInput,
): Promise<void> {
  for (const path of paths) {
    switch (extname(path).toLowerCase()) {
      case ".json":
        await writeWhole(path, `${JSON.stringify(json, null, 1)}\n`);
        break;
      case ".html":
        await writeWhole(path, textspanHtml(picture));
        break;
      case ".svg":
        await writeWhole(path, textspanSvg(picture));
        break;
      default:
        await writeWhole(path, await svgToPng(textspanSvg(picture)));
    }
  }
}
