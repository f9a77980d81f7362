/** Classes of a zero-shot classifier from a user's file. */

import { z } from "zod";
import { endingOf } from "../../support/disk-paths.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { readInput } from "../../support/files.ts";
import { reasonOf } from "../../support/reason.ts";
import { type ClassSet, DEFAULT_TEMPLATES, fillTemplate, type ZeroShotClass } from "./classes.ts";

const text = z.string().trim().min(1);
const value = z.union([text, z.number()]).transform(String);
const classSchema = z.union([
  text.transform((name) => ({ name, texts: undefined, values: undefined, contest: undefined })),
  z.strictObject({
    name: text,
    texts: z.array(text).min(1).optional(),
    values: z.array(value).min(1).optional(),
    contest: text.optional(),
  }),
]);
const template = text.refine((of) => of.includes("{}"), "a template holds {} where the name goes");
const fileSchema = z.union([
  z.array(classSchema).transform((classes) => ({ classes })),
  z.strictObject({
    factor: text.optional(),
    unless: text.optional(),
    templates: z.array(template).min(1).optional(),
    classes: z.array(classSchema),
  }),
]);

/**
 * Reads classes from a file:
 *
 * - `.txt`: a name a line;
 * - `.jsonl`: `{"name", "texts"?, "values"?, "contest"?}`, or a name as a string, a line;
 * - `.json`: a list of these, or `{"factor"?, "unless"?, "templates"?, "classes": […]}`.
 *
 * A class without texts has its name in every template; without values it is shown by images whose factor has its name.
 *
 * @param defaults what the file does not say; a template or factor given here comes before the file's
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `CLASSES_INVALID`
 * @example
 * ```ts
 * import { writeFile } from "node:fs/promises";
 * import { readClasses } from "clip-interpret/evaluation";
 *
 * await writeFile("classes.txt", "cat\ndog\n");
 * const { classes } = await readClasses("classes.txt");
 * console.log(classes.map(({ texts }) => texts)); // → [ [ 'a photo of a cat.' ], [ 'a photo of a dog.' ] ]
 * ```
 */
export async function readClasses(
  path: string,
  defaults: { readonly factor?: string; readonly templates?: readonly string[] } = {},
): Promise<ClassSet> {
  const content = (await readInput(path)).toString("utf8").replace(/^\ufeff/, "");
  const lines = content.split("\n").flatMap((line) => line.trim() || []);
  let read: z.infer<typeof fileSchema>;
  try {
    switch (endingOf(path)) {
      case ".txt":
        read = fileSchema.parse(lines);
        break;
      case ".jsonl":
        read = fileSchema.parse(lines.map((line): unknown => JSON.parse(line)));
        break;
      case ".json":
        read = fileSchema.parse(JSON.parse(content));
        break;
      default:
        throw new Error("it is neither .txt, .json nor .jsonl");
    }
  } catch (cause) {
    throw new ClipInterpretError("CLASSES_INVALID", `${path}: ${reasonOf(cause)}`, { cause });
  }
  const own = "factor" in read || "templates" in read || "unless" in read ? read : undefined;
  const templates = defaults.templates ?? own?.templates ?? DEFAULT_TEMPLATES;
  const classes = read.classes.map(
    ({ name, texts, values, contest }): ZeroShotClass => ({
      name,
      texts: texts ?? templates.map((of) => fillTemplate(of, name)),
      values: values ?? [name],
      contest: contest ?? null,
    }),
  );
  requireDistinct(path, classes);
  return { factor: defaults.factor ?? own?.factor ?? "label", unless: own?.unless ?? null, classes };
}

/** Two classes must not share a name or a value, and there must be two. */
function requireDistinct(path: string, classes: readonly ZeroShotClass[]): void {
  const refuse = (why: string) => {
    throw new ClipInterpretError("CLASSES_INVALID", `${path}: ${why}`);
  };
  if (classes.length < 2) refuse(`${classes.length} classes: there must be at least two`);
  const names = new Set<string>();
  const values = new Set<string>();
  for (const { name, values: of } of classes) {
    if (names.has(name)) refuse(`the class "${name}" is given twice`);
    names.add(name);
    for (const one of new Set(of)) {
      if (values.has(one)) refuse(`the value "${one}" belongs to two classes`);
      values.add(one);
    }
  }
}
