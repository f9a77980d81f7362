import type { Command } from "commander";
import { type ClassSet, defaultClasses, valuesOf } from "../analysis/zero-shot/classes.ts";
import { readClasses } from "../analysis/zero-shot/classes-file.ts";
import { imagenetClasses, isImagenet } from "../analysis/zero-shot/imagenet.ts";
import type { Index } from "../corpus/open-index.ts";
import { collect } from "./strings.ts";

/** A word instead of a file. */
const IMAGENET = "imagenet";

/** What says which classes images are classified into. */
export interface ClassesOptions {
  readonly classes?: string;
  readonly factor?: string;
  readonly template: readonly string[];
}

/** Adds `--classes`, `--factor` and `--template` to a command. */
export const addClassesOptions = (command: Command): Command =>
  command
    .option(
      "--classes <file>",
      "names or texts of the classes: .txt, .json or .jsonl; `imagenet` for all 1,000 of ImageNet's folders",
    )
    .option("--factor <name>", "the factor of the index that says what an image shows (default: its label)")
    .option("--template <text>", "a text with {} for a class's name; several are averaged", collect, []);

/** The classes that were asked for. @throws `CLASSES_INVALID`, `FACTORS_MISSING`, `INPUT_NOT_FOUND` */
export function classesOf(index: Index, { classes, factor, template }: ClassesOptions): Promise<ClassSet> {
  const templates = template.length > 0 ? template : undefined;
  const values = valuesOf(index, factor);
  // Folders of ImageNet's are named by ids, which say nothing to a model.
  if (classes === IMAGENET || (classes === undefined && isImagenet(values))) {
    const every = classes === IMAGENET;
    return Promise.resolve(imagenetClasses(values, { ...(factor && { factor }), templates, every }));
  }
  if (classes === undefined) return Promise.resolve(defaultClasses(index, factor, templates));
  return readClasses(classes, { ...(factor && { factor }), ...(templates && { templates }) });
}
