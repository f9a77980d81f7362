import { extname } from "node:path";
import { Option } from "commander";
import { ClipInterpretError } from "../support/errors.ts";
import { writeWhole } from "../support/files.ts";
import { svgToPng } from "../views/kit/png.ts";
import { refuseOverwrite } from "./overwrite.ts";
import { collect } from "./strings.ts";

/** How a result is drawn; the PNG is the SVG's. Called only for the files that are asked for. */
export interface Drawing {
  readonly svg: () => string;
  readonly html: () => string;
}

const PICTURES = [".html", ".png", ".svg"];

/** `--out <file>`: a picture, once or more. */
export const pictureOption = (): Option =>
  new Option("--out <file>", "draw it: .html, .png or .svg; once or more").argParser(collect).default([]);

/**
 * Refuses, before any work, a file that nothing can be drawn to.
 * @param input a picture that must not be replaced
 * @throws `USAGE`
 */
export function checkPictures(paths: readonly string[], input?: string): void {
  for (const path of paths) {
    if (!PICTURES.includes(extname(path).toLowerCase())) {
      throw new ClipInterpretError("USAGE", `--out ${path} is none of ${PICTURES.join(", ")}`);
    }
    refuseOverwrite(path, input);
  }
}

/** Draws a result to files, each in the format of its extension. @throws `OUTPUT_UNWRITABLE` */
export async function writePictures(paths: readonly string[], { svg, html }: Drawing): Promise<void> {
  for (const path of paths) {
    const extension = extname(path).toLowerCase();
    if (extension === ".html") await writeWhole(path, html());
    else await writeWhole(path, extension === ".svg" ? svg() : await svgToPng(svg()));
  }
}
