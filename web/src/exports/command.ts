import { defaultScoring } from "../../../src/results/scoring.ts";
import type { ImageInfo } from "../state/api.ts";
import type { Settled } from "../state/url.ts";

/** How a view's numbers are made elsewhere. */
export interface Recipe {
  /** Lines for a shell. */
  readonly command: string;
  /** A program in TypeScript that imports this package. */
  readonly code: string;
  /** How both name the picture; null where they need none. */
  readonly file: string | null;
}

/** What is shown, where a recipe is of one text. */
type Shown = Pick<
  Settled,
  "model" | "corpus" | "texts" | "mode" | "scale" | "without" | "less" | "scoring" | "count" | "seed"
>;

const quoted = (word: string): string =>
  /^[\w./:@%+=,*-]+$/.test(word) && !word.startsWith("*") ? word : `'${word.replaceAll("'", "'\\''")}'`;
const line = (...words: readonly string[]): string => ["clip-interpret", ...words].map(quoted).join(" ");
const textArgs = (texts: readonly string[]) => texts.flatMap((text) => ["--text", text]);
const literal = (value: unknown) => JSON.stringify(value);

/** The file's own name, or one for a picture that has none here. */
export const fileOf = ({ path, sha256 }: Pick<ImageInfo, "path" | "sha256">): string =>
  path?.split("/").at(-1) ?? `picture-${sha256.slice(0, 8)}`;

/** A corpus as an index that commands can open: how it is made, and its name. */
function indexOf(corpus: string, images: number | null): { readonly make: string[]; readonly index: string } {
  const index = `${corpus}.index`;
  if (corpus === "demo")
    return {
      make: [
        line("demo", "--out", "demo", ...(images === null ? [] : ["--scenes", String(images)])),
        line("index", "demo", "--out", index),
      ],
      index,
    };
  if (corpus === "scenes" || corpus === "photos")
    return { make: [line("index", `examples/${corpus}`, "--out", index)], index };
  return { make: [], index: corpus };
}

/** What makes an index looks with a model; what draws pictures needs none. */
const withModel = (command: string, model: string): string =>
  command.startsWith("clip-interpret demo ") ? command : `${command} --model ${quoted(model)}`;

/** The score by parts, and the map of some heads. @param words the heads that words are read through; null: none are shown */
export function lookCommand(
  state: Shown & { readonly text: string | undefined; readonly against: string | null },
  known: ImageInfo,
  heads: string,
  images: number | null,
  words: string | null,
): Recipe {
  const { model, texts, text = "", against, without, less } = state;
  const file = fileOf(known);
  const mapped = against === null ? [text] : [text, against];
  const mode = against === null ? [] : ["--mode", "contrast"];
  const isOut = without !== "no";
  const needsIndex = less || without === "mean";
  const { make, index } = indexOf(state.corpus, images);
  const scored = against === null || texts.includes(against) ? texts : [...texts, against];
  const held = [
    ...(against === null ? [] : [`against: ${literal(against)}`]),
    ...(less ? ["lessAverage: true"] : []),
    ...(isOut ? [`ablate: set, replacement: ${literal(without)}`] : []),
    ...(needsIndex ? ["index"] : []),
  ];
  const imports = [
    "explainImage",
    "openModel",
    "parseHeads",
    "segmentImage",
    ...(needsIndex ? ["openIndex"] : []),
    ...(words === null ? [] : ["explainWords"]),
  ];
  const shown = against === null && !less ? "texts" : "compared";
  const found = [...(isOut ? ["ablated"] : []), shown].sort();
  return {
    file,
    command: [
      ...(needsIndex ? make.map((one) => withModel(one, model)) : []),
      line(
        ...["explain", file, "--model", model, ...textArgs(scored)],
        ...(against === null ? [] : ["--against", against]),
        ...(less ? ["--less-average"] : []),
        ...(isOut ? ["--ablate", heads, "--replacement", without] : []),
        ...(needsIndex ? ["--index", index] : []),
      ),
      line("segment", file, "--model", model, "--heads", heads, ...mode, ...textArgs(mapped)),
      ...(words === null
        ? []
        : [
            line(
              ...["explain", file, "--model", model, "--words", "--text", text],
              ...(words === "all" ? [] : ["--heads", words]),
            ),
          ]),
    ].join("\n"),
    code: [
      `import { ${imports.sort().join(", ")} } from "clip-interpret";`,
      "",
      ...(needsIndex ? make.map((one) => `// First: ${withModel(one, model)}`) : []),
      `const model = await openModel(${literal(model)});`,
      `const picture = ${literal(file)};`,
      `const set = parseHeads(model, ${literal(heads)});`,
      ...(needsIndex ? [`const index = await openIndex(model, ${literal(index)});`] : []),
      `const held = {${held.length === 0 ? "" : ` ${held.join(", ")} `}} as const;`,
      `const { ${found.join(", ")} } = await explainImage(model, picture, ${literal(scored)}, held);`,
      shown === "texts"
        ? "for (const { text, similarity } of texts) console.log(text, similarity);"
        : "for (const { text, score } of compared!.texts) console.log(text, score);",
      `const map = await segmentImage(model, picture, ${literal(mapped)}, { set${against === null ? "" : ', mode: "contrast"'} });`,
      `console.log(${literal(heads)}, map.texts[0].score);`,
      ...(isOut
        ? ['for (const { text, without } of ablated!.texts) console.log("without", text, without);']
        : []),
      ...(words === null
        ? []
        : [
            `const said = await explainWords(model, picture, ${literal(text)}, { set: parseHeads(model, ${literal(words)}) });`,
            "for (const { text, shares } of said.words) console.log(text, shares[0]);",
          ]),
    ].join("\n"),
  };
}

/** The page of one head. @param pool as for {@link atlasCommand} */
export function headCommand(
  { model, corpus }: Pick<Settled, "model" | "corpus">,
  head: string,
  pool: string | null,
  images: number | null,
): Recipe {
  const { make, index } = indexOf(corpus, images);
  const texts = pool === null ? [] : ["--texts", pool];
  return {
    file: null,
    command: [
      ...make.map((one) => withModel(one, model)),
      line("atlas", "--index", index, "--model", model, ...texts, "--head", head),
    ].join("\n"),
    code: [
      'import { makeAtlas, openIndex, openModel } from "clip-interpret";',
      ...(pool === null ? [] : ['import { loadPool } from "clip-interpret/labeling";']),
      "",
      ...make.map((one) => `// First: ${withModel(one, model)}`),
      `const model = await openModel(${literal(model)});`,
      `const index = await openIndex(model, ${literal(index)});`,
      "await makeAtlas(model, index, {",
      ...(pool === null ? [] : [`  pool: await loadPool(${literal(pool)}),`]),
      "  onPage({ entry, directions }) {",
      `    if (entry.name !== ${literal(head)}) return;`,
      "    for (const { name, most } of directions) console.log(name, most[0].score);",
      "  },",
      "});",
    ].join("\n"),
  };
}

/** Every head at a glance, or those that know a text. @param pool the name of the pool of its texts; null: none was used */
export function atlasCommand(
  { model, corpus, knows }: Pick<Settled, "model" | "corpus" | "knows">,
  pool: string | null,
  images: number | null,
): Recipe {
  const { make, index } = indexOf(corpus, images);
  const texts = pool === null ? [] : ["--texts", pool];
  const asked = knows === null ? ["--out", `${corpus}-atlas`] : ["--knows", knows];
  const isKnown = knows !== null && pool !== null;
  return {
    file: null,
    command: [
      ...make.map((one) => withModel(one, model)),
      line("atlas", "--index", index, "--model", model, ...texts, ...asked),
    ].join("\n"),
    code: [
      `import { ${isKnown ? "" : "makeAtlas, "}openIndex, openModel } from "clip-interpret";`,
      ...(pool === null
        ? []
        : [`import { ${isKnown ? "findHeads, " : ""}loadPool } from "clip-interpret/labeling";`]),
      "",
      ...make.map((one) => `// First: ${withModel(one, model)}`),
      `const model = await openModel(${literal(model)});`,
      `const index = await openIndex(model, ${literal(index)});`,
      ...(pool === null ? [] : [`const pool = await loadPool(${literal(pool)});`]),
      ...(isKnown
        ? [
            `const { heads } = await findHeads(model, index, pool, ${literal(knows)});`,
            "for (const { name, share } of heads) console.log(name, share);",
          ]
        : [
            `const { heads } = await makeAtlas(model, index${pool === null ? "" : ", { pool }"});`,
            "for (const { name, metrics } of heads) console.log(name, metrics.norm);",
          ]),
    ].join("\n"),
  };
}

/** The maps of several texts. */
export function segmentCommand(state: Shown, known: ImageInfo, heads: string): Recipe {
  const { model, texts, mode, scale } = state;
  const file = fileOf(known);
  return {
    file,
    command: line(
      ...["segment", file, "--model", model, "--heads", heads, "--mode", mode, "--scale", scale],
      ...textArgs(texts),
    ),
    code: [
      'import { openModel, parseHeads, segmentImage } from "clip-interpret";',
      "",
      `const model = await openModel(${literal(model)});`,
      `const set = parseHeads(model, ${literal(heads)});`,
      `const asked = { set, mode: ${literal(mode)}, scale: ${literal(scale)} } as const;`,
      `const { texts } = await segmentImage(model, ${literal(file)}, ${literal(texts)}, asked);`,
      "for (const { text, score } of texts) console.log(text, score);",
    ].join("\n"),
  };
}

/** A search for neighbours. @param asked a text, or a picture */
export function neighborsCommand(
  state: Shown,
  asked: { readonly text: string } | ImageInfo,
  heads: string,
  images: number | null,
): Recipe {
  const { model, count, seed } = state;
  const scoring = state.scoring ?? defaultScoring("text" in asked ? "text" : "image");
  const { make, index } = indexOf(state.corpus, images);
  const file = "text" in asked ? null : fileOf(asked);
  const query = "text" in asked ? ["--text", asked.text] : ["--image", fileOf(asked)];
  const wanted = "text" in asked ? { text: asked.text } : { image: fileOf(asked) };
  return {
    file,
    command: [
      ...make.map((one) => withModel(one, model)),
      line(
        ...["neighbors", "--index", index, "--model", model, "--heads", heads, ...query],
        ...["-k", String(count), "--scoring", scoring, "--seed", String(seed)],
      ),
    ].join("\n"),
    code: [
      'import { findNeighbors, openIndex, openModel, parseHeads } from "clip-interpret";',
      "",
      ...make.map((one) => `// First: ${withModel(one, model)}`),
      `const model = await openModel(${literal(model)});`,
      `const index = await openIndex(model, ${literal(index)});`,
      `const options = ${literal({ k: count, scoring, seed })} as const;`,
      `const { neighbors } = await findNeighbors(model, index, ${literal(wanted)}, parseHeads(model, ${literal(heads)}), options);`,
      "for (const { path, score } of neighbors) console.log(path, score);",
    ].join("\n"),
  };
}
