import { Option } from "commander";

/** `--root <folder>` of a command that reads pictures of an index. */
export const rootOption = (): Option =>
  new Option("--root <folder>", "where the images of the index lie now, if they moved without it");
