/** Every public name has an example, and every example prints what it says: of docstrings, README and docs. */
import { mkdtemp, readdir, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildIndex } from "../../src/corpus/build.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { DEFAULT_MODEL, isEmbedded } from "../../src/model/embedded.ts";
import { openModel } from "../../src/model/registry.ts";
import { planCorpus, writeCorpus } from "../../src/world/corpus.ts";
import {
  type Example,
  entriesOf,
  expectedLines,
  isLine,
  missingFrom,
  programsIn,
  publicValues,
  run,
  typeErrors,
} from "../support/doc-examples.ts";
import { serveHub } from "../support/hub-server.ts";
import { HUB_ID, SERVED, SERVED_TOKENIZER, TOKENIZER_HOME } from "../support/hub-world.ts";
import { serveLlm } from "../support/llm-server.ts";
import { startStaticServer } from "../support/static-server.ts";
import { webRuntime } from "../support/web-runtime.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** What one program may import from the package's root: as much as one can keep in mind. */
const MOST_NAMES = 30;
/** Milliseconds: a test is about what an example prints, not how fast. */
const PATIENCE = 600_000;
/** Where examples have files on the web. */
const SITE = "https://example.org";
/** Scenes in the indexes that examples ask. */
const SCENES = 120;

const entries = entriesOf(ROOT);
const values = publicValues(entries);
/** Each once: what runs in a browser too, two entries export. */
const distinct = values.filter(
  ({ declaredAt }, i) => values.findIndex((value) => value.declaredAt === declaredAt) === i,
);
const documents = ["README.md", ...(await readdir(join(ROOT, "docs"))).map((name) => `docs/${name}`)];
const inDocuments = await Promise.all(
  documents
    .filter((path) => path.endsWith(".md"))
    .map(
      async (path): Promise<Example[]> =>
        programsIn(await readFile(join(ROOT, path), "utf8"))
          .map((code, i) => ({ name: `${path}, block ${i + 1}`, code }))
          // What imports nothing is a part of a program.
          .filter(({ code }) => /from "clip-interpret/.test(code)),
    ),
);
const examples: Example[] = [
  ...distinct.flatMap(({ entry, name, examples: codes }) =>
    codes.map((code) => ({ name: `${entry}: ${name}`, code })),
  ),
  ...inDocuments.flat(),
];

describe("the public names", () => {
  it("of the root are few", () => {
    const names = values.filter(({ entry }) => entry === "clip-interpret").map(({ name }) => name);
    expect(names.length, names.join(", ")).toBeLessThanOrEqual(MOST_NAMES);
  });

  it.each(values.map((value) => [`${value.entry}: ${value.name}`, value] as const))(
    "%s is documented",
    (_, value) => {
      expect(missingFrom(value)).toBeUndefined();
    },
  );

  it("mean one thing each, whatever they are imported from", () => {
    const others = values.filter(({ name, declaredAt }) =>
      values.some((other) => other.name === name && other.declaredAt !== declaredAt),
    );
    expect(others.map(({ entry, name }) => `${entry}: ${name}`)).toEqual([]);
  });
});

/** Embedded models, each opened once: a hundred examples begin with one, and its graphs take a tenth of a second. */
const opened = new Map<string, Promise<ClipModel>>();
const openOnce: typeof openModel = (name = DEFAULT_MODEL, ...options) => {
  if (!isEmbedded(name) || options.length > 0) return openModel(name, ...options);
  const model = opened.get(name) ?? openModel(name);
  opened.set(name, model);
  return model;
};

describe("examples", () => {
  const home = process.cwd();
  const environment = { ...process.env };
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "examples-"));
    process.chdir(folder);
    process.env.CLIP_INTERPRET_CACHE = join(folder, "cache");
    await symlink(join(ROOT, "examples"), "examples");
    await writeCorpus(
      "scenes",
      await planCorpus({ split: "demo", indices: [...Array(SCENES).keys()], size: 64 }),
    );
    for (const [name, index] of [
      ["emoji-4x128-p8", "scenes.index"],
      ["emoji-6x192-p8", "other.index"],
    ]) {
      await buildIndex(await openOnce(name), "scenes", index);
    }
  }, PATIENCE);

  afterAll(async () => {
    process.chdir(home);
    process.env = environment;
    for (const model of opened.values()) await (await model).release();
    await rm(folder, { recursive: true, force: true });
  });

  it(
    "are programs to the compiler",
    () => {
      const code = 'import { noSuchThing } from "clip-interpret";\nconst n: number = "text";\n';
      const errors = typeErrors([...examples, { name: "a wrong program", code }], ROOT);
      expect(errors.filter((error) => !error.startsWith("a wrong program"))).toEqual([]);
      expect(errors).toHaveLength(2);
    },
    PATIENCE,
  );

  it.each(examples.map(({ name, code }) => [name, code] as const))(
    "%s prints what it says",
    async (_, code) => {
      // A page says where its WebAssembly is; here it is in node_modules.
      if (code.includes("onnxruntime-web")) webRuntime();
      if (code.includes("createLlm")) process.env.LLM_URL = (await serveLlm()).url;
      if (code.includes("pullModel")) {
        const hub = await serveHub({ [HUB_ID]: SERVED, [TOKENIZER_HOME]: SERVED_TOKENIZER });
        Object.assign(process.env, { HF_HOME: join(folder, "hub"), HF_ENDPOINT: hub.endpoint });
      }
      const site = code.includes(SITE)
        ? await startStaticServer({ "": ROOT, "scenes.index": join(folder, "scenes.index") })
        : undefined;
      const printed = await run(code.replaceAll(SITE, site?.url ?? SITE), entries, {
        // What frees its model has one of its own.
        "clip-interpret": { openModel: code.includes(".release()") ? openModel : openOnce },
      });
      await site?.close();
      const expected = expectedLines(code);
      const same =
        printed.length === expected.length && printed.every((line, i) => isLine(line, expected[i]));
      if (!same) expect(printed.map((line) => line.trim())).toEqual(expected);
    },
    PATIENCE,
  );
});

describe("the harness", () => {
  it("sees a name without an example, and an example that prints nothing", () => {
    const documented = { entry: "e", name: "n", documentation: "What it does." };
    expect(missingFrom({ ...documented, documentation: "", examples: ["f(); // → 1\n"] })).toBe(
      "no docstring",
    );
    expect(missingFrom({ ...documented, examples: [] })).toMatch("no @example");
    expect(missingFrom({ ...documented, examples: ["f();\n"] })).toMatch("prints nothing");
    expect(missingFrom({ ...documented, examples: ["f(); // → 1\n"] })).toBeUndefined();
  });

  it("compares to the printed digit", () => {
    expect(isLine("0.1971", "0.1971")).toBe(true);
    expect(isLine("0.1972", "0.1971")).toBe(false);
    expect(isLine("0.19712", "0.1971…")).toBe(true);
    expect(isLine("0.19712", "0.1971")).toBe(false);
  });

  it("runs what imports the package by its name", async () => {
    const code = 'import { VERSION } from "clip-interpret";\nconsole.log(VERSION.length > 0, [1]);\n';
    expect(await run(code, entries)).toEqual(["true [ 1 ]"]);
  });
});
