import { isReadHere } from "../image/decode.ts";
import { imageFormat } from "../image/format.ts";
import { checkPicture, drawPicture, type PictureFile, type Size } from "./pictures.ts";
import type { TaskRunner } from "./threads/task-runner.ts";

/** Decodes and draws: formats that are read here (HEIC among them) in a thread, others in libvips' own. */
export const createPictures = ({ run }: TaskRunner) => {
  const isSlow = (bytes: Uint8Array) => imageFormat(bytes) !== undefined && isReadHere(bytes);
  return {
    check: (file: PictureFile) => (isSlow(file.bytes) ? run("checkPicture", file) : checkPicture(file)),
    draw: (file: PictureFile & { size: Size }) =>
      isSlow(file.bytes) ? run("drawPicture", file) : drawPicture(file),
  };
};
/** Decodes and draws. */
export type Pictures = ReturnType<typeof createPictures>;
