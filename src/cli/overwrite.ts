import { resolve } from "node:path";
import { ClipInterpretError } from "../support/errors.ts";

/** Refuses a result that would replace the picture it is made from. @throws `USAGE` */
export function refuseOverwrite(out: string, input: string | undefined): void {
  if (input !== undefined && resolve(out) === resolve(input)) {
    throw new ClipInterpretError("USAGE", `--out ${out} is the input itself`);
  }
}
