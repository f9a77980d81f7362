/**
 * Examples in docstrings and documents: found with the compiler, type-checked against the package's own exports, run, and
 * what they print compared with their `// →` comments.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { formatWithOptions } from "node:util";
import ts from "typescript";

/** A program that stands somewhere in the documentation. */
export interface Example {
  /** Where: `clip-interpret openModel`, or `docs/api.md 3`. */
  readonly name: string;
  readonly code: string;
}

/** A value that an entry of the package exports. */
export interface PublicValue {
  readonly entry: string;
  readonly name: string;
  /** Its docstring without tags. */
  readonly documentation: string;
  readonly examples: readonly string[];
  /** Where it is declared, which says whether two entries export the same. */
  readonly declaredAt: string;
}

const packageOf = (root: string) =>
  JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    name: string;
    exports: Record<string, string | { types: string; default: string }>;
  };

/** The sources of the package's entries, by what a program writes to import them. */
export function entriesOf(root: string): Record<string, string> {
  const { name, exports } = packageOf(root);
  return Object.fromEntries(
    Object.entries(exports).flatMap(([path, target]): [string, string][] => {
      const file = typeof target === "string" ? target : target.default;
      if (!file.endsWith(".js")) return [];
      const source = file.replace("./dist/", "src/").replace(/\.js$/, ".ts");
      return [[path.replace(".", name), join(root, source)]];
    }),
  );
}

/** Every value that the entries export, with its documentation: what their syntax says, without a program's types. */
export function publicValues(entries: Readonly<Record<string, string>>): PublicValue[] {
  return Object.entries(entries).flatMap(([entry, path]) =>
    exportsOf(parse(path)).flatMap((name): PublicValue[] => {
      const found = declarationOf(name, path);
      if (!found) return [];
      const comments = ts.getJSDocCommentsAndTags(found.declaration).filter(ts.isJSDoc);
      const examples = comments
        .flatMap(({ tags = [] }) => tags.filter((tag) => tag.tagName.text === "example"))
        .flatMap((tag) => programsIn(`${ts.getTextOfJSDocComment(tag.comment)}\n`));
      const documentation = comments.map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? "").join("\n");
      const declaredAt = `${found.path}:${found.declaration.pos}`;
      return [{ entry, name, documentation: documentation.trim(), examples, declaredAt }];
    }),
  );
}

/** What was parsed, by path. */
const parsed = new Map<string, ts.SourceFile>();

function parse(path: string): ts.SourceFile {
  const known = parsed.get(path);
  if (known) return known;
  const file = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.ES2023, true);
  parsed.set(path, file);
  return file;
}

/** Whether a statement has `export` before it. */
const isExported = (statement: ts.Statement) =>
  ts.canHaveModifiers(statement) &&
  (ts.getModifiers(statement) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);

/** Names that a module exports, types too unless they are said to be types. */
function exportsOf(file: ts.SourceFile): string[] {
  return file.statements.flatMap((statement): string[] => {
    if (ts.isExportDeclaration(statement)) {
      if (!statement.exportClause || !ts.isNamedExports(statement.exportClause))
        throw new Error(`${file.fileName}: names are exported one by one`);
      if (statement.isTypeOnly) return [];
      return statement.exportClause.elements.filter((one) => !one.isTypeOnly).map(({ name }) => name.text);
    }
    return isExported(statement) ? namesOf(statement) : [];
  });
}

/** Names of values that a statement declares. */
function namesOf(statement: ts.Statement): string[] {
  if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement))
    return statement.name ? [statement.name.text] : [];
  return ts.isVariableStatement(statement)
    ? statement.declarationList.declarations.map(({ name }) => name.getText())
    : [];
}

/** Where a value is declared that a module has under a name; nothing for a type. */
function declarationOf(
  name: string,
  path: string,
): { readonly path: string; readonly declaration: ts.Statement } | undefined {
  for (const statement of parse(path).statements) {
    if (namesOf(statement).includes(name)) return { path, declaration: statement };
    const clause = ts.isExportDeclaration(statement)
      ? statement.exportClause
      : ts.isImportDeclaration(statement)
        ? statement.importClause?.namedBindings
        : undefined;
    if (!clause || !(ts.isNamedExports(clause) || ts.isNamedImports(clause))) continue;
    const { moduleSpecifier } = statement as ts.ExportDeclaration | ts.ImportDeclaration;
    const one = clause.elements.find((element) => element.name.text === name && !element.isTypeOnly);
    if (!one || !moduleSpecifier || !ts.isStringLiteral(moduleSpecifier)) continue;
    return declarationOf((one.propertyName ?? one.name).text, join(dirname(path), moduleSpecifier.text));
  }
  return undefined;
}

/** What is missing from a value's documentation; nothing where all is there. */
export function missingFrom({
  documentation,
  examples,
}: Pick<PublicValue, "documentation" | "examples">): string | undefined {
  if (documentation === "") return "no docstring";
  if (examples.length === 0) return "no @example with a block of ts";
  return examples.every((code) => expectedLines(code).length > 0)
    ? undefined
    : "an example that prints nothing";
}

/** The blocks of TypeScript in a text. */
export const programsIn = (text: string): string[] =>
  Array.from(text.matchAll(/^```ts\n([\s\S]*?)^```/gm), ([, code]) => code);

/** The lines that a program says it prints: its `// →` comments, in order. */
export const expectedLines = (code: string): string[] =>
  Array.from(code.matchAll(/\/\/ → ?(.*)$/gm), ([, line]) => line.trim());

/** Whether a printed line is the one expected; `…` stands for anything. */
export function isLine(printed: string, expected: string): boolean {
  const parts = expected.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s").test(printed.trim());
}

/** What a package exports, or stands in for it. */
type Exports = Readonly<Record<string, unknown>>;

/**
 * Runs a program and gives the lines that it printed.
 * @param instead exports that it gets in place of an entry's own
 */
export async function run(
  code: string,
  entries: Readonly<Record<string, string>>,
  instead: Readonly<Record<string, Exports>> = {},
): Promise<string[]> {
  const source = ts.createSourceFile("example.ts", code, ts.ScriptTarget.ES2023, true);
  let body = code;
  for (const statement of source.statements.filter(ts.isImportDeclaration).reverse()) {
    body = body.slice(0, statement.getStart()) + awaited(statement) + body.slice(statement.end);
  }
  const { outputText } = ts.transpileModule(body, {
    compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
  });
  const printed: string[] = [];
  const log = (...values: unknown[]) =>
    printed.push(...formatWithOptions({ colors: false, breakLength: 100 }, ...values).split("\n"));
  const load = async (name: string): Promise<Exports> => ({
    ...(await import(entries[name] ? pathToFileURL(entries[name]).href : name)),
    ...instead[name],
  });
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor;
  await AsyncFunction("load", "console", outputText)(load, { ...console, log });
  return printed;
}

/** `import { a as b } from "c"` as `const { a: b } = await load("c")`. */
function awaited({ importClause, moduleSpecifier }: ts.ImportDeclaration): string {
  const bindings = importClause?.namedBindings;
  if (importClause?.isTypeOnly) return "";
  if (!bindings || !ts.isNamedImports(bindings)) throw new Error("an example imports names, in braces");
  const names = bindings.elements
    .filter((element) => !element.isTypeOnly)
    .map(({ propertyName, name }) => (propertyName ? `${propertyName.text}: ${name.text}` : name.text));
  return `const { ${names.join(", ")} } = await load(${moduleSpecifier.getText()});`;
}

/** What the compiler says of programs that import the package by its name, with the types that it is built with. */
export function typeErrors(examples: readonly Example[], root: string): string[] {
  // Below the package's root, so that its dependencies are found.
  const folder = mkdtempSync(join(root, "test/examples-"));
  try {
    // Without an import a file would be a script, and `await` an error.
    for (const [i, { code }] of examples.entries())
      writeFileSync(join(folder, `example-${i}.ts`), `${code}\nexport {};\n`);
    const { name, exports } = packageOf(root);
    const paths = Object.entries(exports).flatMap(([path, target]) =>
      typeof target === "string" ? [] : [[path.replace(".", name), [join(root, target.types)]]],
    );
    const compilerOptions = { incremental: false, paths: Object.fromEntries(paths) };
    const config = { extends: join(root, "tsconfig.json"), compilerOptions, include: ["."] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    const compiler = join(root, "node_modules/.bin/tsc");
    const { stdout } = spawnSync(compiler, ["-p", folder, "--pretty", "false"], { encoding: "utf8" });
    return stdout
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line) => line.replace(/^.*example-(\d+)\.ts/, (_, i) => examples[Number(i)].name));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
