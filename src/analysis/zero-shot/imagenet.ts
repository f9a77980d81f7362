/**
 * Images in ImageNet's layout, a folder a WordNet id: what the classes are called, and the 80 texts that CLIP's authors
 * put a name into ("Learning Transferable Visual Models From Natural Language Supervision", §3.1.4). Where the lists are
 * from says `assets/imagenet/README.md`.
 */
import { z } from "zod";
import { ClipInterpretError } from "../../support/errors.ts";
import { packagedText } from "../../support/files.ts";
import { type ClassSet, fillTemplate } from "./classes.ts";

const schema = z.strictObject({
  templates: z.array(z.string()),
  classes: z.record(z.string(), z.string()),
});
let known: z.infer<typeof schema> | undefined;
function lists(): z.infer<typeof schema> {
  known ??= schema.parse(JSON.parse(packagedText("assets/imagenet/imagenet.json")));
  return known;
}

/** The WordNet id that a folder is named by: the last part of its path. */
const wnidOf = (value: string): string | undefined => /(?:^|[\\/])(n\d{8})$/.exec(value)?.[1];

/** The 80 texts that CLIP's authors put a name into. */
export const imagenetTemplates = (): readonly string[] => lists().templates;

/** Whether values of a factor are folders of ImageNet's. */
export const isImagenet = (values: readonly string[]): boolean =>
  values.length > 0 && values.every((value) => wnidOf(value) !== undefined);

/**
 * ImageNet's classes, in the order of their numbers.
 * @param values the folders that images lie in
 * @param every all 1,000 compete, not those alone that have a folder
 * @throws `CLASSES_INVALID` for ids that are none of the 1,000
 * @example
 * ```ts
 * import { imagenetClasses } from "clip-interpret/evaluation";
 *
 * const { classes } = imagenetClasses(["n01440764", "n01443537"]);
 * console.log(classes.map(({ name, texts }) => [name, texts.length])); // → [ [ 'tench', 80 ], [ 'goldfish', 80 ] ]
 * ```
 */
export function imagenetClasses(
  values: readonly string[],
  {
    factor = "label",
    templates = lists().templates,
    every = false,
  }: {
    readonly factor?: string;
    readonly templates?: readonly string[] | undefined;
    readonly every?: boolean;
  } = {},
): ClassSet {
  const { classes } = lists();
  const folders = new Map<string, string[]>();
  for (const value of values) {
    const wnid = wnidOf(value);
    if (wnid === undefined) continue;
    if (!Object.hasOwn(classes, wnid)) {
      const hint = "Say what such classes are called in a file for --classes, with their ids as values.";
      throw new ClipInterpretError("CLASSES_INVALID", `${wnid} is none of ImageNet's 1,000 classes`, {
        hint,
      });
    }
    folders.set(wnid, [...(folders.get(wnid) ?? []), value]);
  }
  const names = Object.values(classes);
  return {
    factor,
    unless: null,
    classes: Object.entries(classes).flatMap(([wnid, name]) => {
      const own = folders.get(wnid);
      if (own === undefined && !every) return [];
      const isShared = names.indexOf(name) !== names.lastIndexOf(name);
      return {
        name: isShared ? `${name} (${wnid})` : name,
        texts: templates.map((template) => fillTemplate(template, name)),
        values: own ?? [wnid],
        contest: null,
      };
    }),
  };
}
