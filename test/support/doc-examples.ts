/**
 * Examples in docstrings and documents: found with the compiler, type-checked against the package's own exports, run, and
 * what they print compared with their `// →` comments.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
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

/** The sources of the package's entries, by what a program writes to import them. */
export function entriesOf(root: string): Record<string, string> {
  const { name, exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    name: string;
    exports: Record<string, string | { default: string }>;
  };
  return Object.fromEntries(
    Object.entries(exports).flatMap(([path, target]): [string, string][] => {
      const file = typeof target === "string" ? target : target.default;
      if (!file.endsWith(".js")) return [];
      const source = file.replace("./dist/", "src/").replace(/\.js$/, ".ts");
      return [[path.replace(".", name), join(root, source)]];
    }),
  );
}

/** Every value that the entries export, with its documentation. */
export function publicValues(
  entries: Readonly<Record<string, string>>,
  options: ts.CompilerOptions,
): PublicValue[] {
  const program = ts.createProgram(Object.values(entries), options, sharingHost(options));
  const checker = program.getTypeChecker();
  return Object.entries(entries).flatMap(([entry, path]) => {
    const file = program.getSourceFile(path);
    const module = file && checker.getSymbolAtLocation(file);
    if (!module) throw new Error(`${path} is no module`);
    return checker.getExportsOfModule(module).flatMap((exported): PublicValue[] => {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      if (!(symbol.flags & ts.SymbolFlags.Value)) return [];
      const examples = symbol
        .getJsDocTags(checker)
        .filter((tag) => tag.name === "example")
        .flatMap((tag) => programsIn(ts.displayPartsToString(tag.text)));
      const documentation = ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim();
      const at = symbol.valueDeclaration ?? symbol.declarations?.[0];
      const declaredAt = `${at?.getSourceFile().fileName}:${at?.pos}`;
      return [{ entry, name: exported.name, documentation, examples, declaredAt }];
    });
  });
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

/** Runs a program and gives the lines that it printed. */
export async function run(code: string, entries: Readonly<Record<string, string>>): Promise<string[]> {
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
  const load = (name: string) => import(entries[name] ? pathToFileURL(entries[name]).href : name);
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

/** What was parsed, by path: programs of the same sources share it. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/** A compiler's host that parses each file once. */
function sharingHost(options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (path, ...rest) => {
    if (!parsed.has(path)) parsed.set(path, getSourceFile(path, ...rest));
    return parsed.get(path);
  };
  return host;
}

/** What the compiler says of programs that import the package by its name. */
export function typeErrors(
  examples: readonly Example[],
  entries: Readonly<Record<string, string>>,
  options: ts.CompilerOptions,
  root: string,
): string[] {
  const files = new Map(examples.map(({ code }, i) => [join(root, `example-${i}.ts`), code] as const));
  const host = sharingHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  const paths = Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, [path]]));
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.readFile = (path) => files.get(path) ?? readFile(path);
  host.getSourceFile = (path, target, ...rest) => {
    const code = files.get(path);
    // Without an import a file would be a script, and `await` an error.
    return code === undefined
      ? getSourceFile(path, target, ...rest)
      : ts.createSourceFile(path, `${code}\nexport {};\n`, target, true);
  };
  const program = ts.createProgram([...files.keys()], { ...options, paths }, host);
  return [...files.keys()].flatMap((path, i) => {
    const file = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
      ({ messageText }) => `${examples[i].name}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`,
    );
  });
}
