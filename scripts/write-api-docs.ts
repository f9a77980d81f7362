/**
 * Writes a page for each entry of the package, with every public name of it, into `out/site/names` (`npm run docs:api`).
 * `npm run docs:build` takes them into the site. A warning is an error.
 */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Application, LogLevel, ReflectionKind } from "typedoc";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const OUT = join(ROOT, "out/site/names");

const { name, exports } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
  name: string;
  exports: Record<string, string | { types: string }>;
};
/** Entry → its source. */
const entries = new Map(
  Object.entries(exports).flatMap(([subpath, at]) =>
    typeof at === "string"
      ? []
      : [[join(name, subpath), at.types.replace(/^\.\/dist/, "src").replace(/\.d\.ts$/, ".ts")] as const],
  ),
);

const app = await Application.bootstrapWithPlugins({
  name: "Public names",
  plugin: ["typedoc-plugin-markdown"],
  tsconfig: join(ROOT, "tsconfig.build.json"),
  entryPoints: [...entries.values()].map((path) => join(ROOT, path)),
  readme: "none",
  githubPages: false,
  disableSources: true,
  groupOrder: ["Functions", "Classes", "Variables", "*"],
  // `npm run check` has compiled the sources.
  skipErrorChecking: true,
  // What a public function takes or returns may have a type that nobody has to name.
  validation: { notExported: false, invalidLink: true, notDocumented: false },
  logLevel: LogLevel.Warn,
  out: OUT,
  ...{
    outputFileStrategy: "modules",
    flattenOutputFiles: true,
    hideBreadcrumbs: true,
    hidePageHeader: true,
    entryFileName: "index",
    parametersFormat: "table",
    propertiesFormat: "table",
    interfacePropertiesFormat: "table",
    typeDeclarationFormat: "table",
    expandObjects: false,
  },
});
const project = await app.convert();
if (project === undefined) process.exit(1);
for (const page of project.getReflectionsByKind(ReflectionKind.Module)) {
  const source = `src/${page.name}.ts`;
  page.name = [...entries].find(([, path]) => path === source)?.[0] ?? page.name;
}
app.validate(project);
await rm(OUT, { recursive: true, force: true });
await app.generateOutputs(project);
if (app.logger.hasErrors() || app.logger.hasWarnings()) process.exit(1);
