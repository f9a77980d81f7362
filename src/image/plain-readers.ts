import type { Binary } from "../support/binary.ts";
import { openBmp } from "./bmp.ts";
import { openGif } from "./gif.ts";
import { openNetpbm } from "./netpbm.ts";
import type { OpenedImage } from "./pixels.ts";

/** Formats that are read here wherever it runs: those that sharp does not know, and GIF, whose indices it throws away. */
export const PLAIN_READERS: Readonly<Record<string, (file: Binary) => OpenedImage>> = {
  ...{ GIF: openGif, BMP: openBmp, PBM: openNetpbm, PGM: openNetpbm, PPM: openNetpbm },
};
