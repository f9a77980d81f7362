/** What docs/models.md says of every architecture and family: written by `npm run docs:models`, held by a test. */
import { readFileSync } from "node:fs";
import { hfFamilies } from "../src/checkpoint/hf-config.ts";
import { type ModelConfig, type Pooling, readsTexts } from "../src/checkpoint/model-config.ts";
import { parseOpenClipConfig } from "../src/checkpoint/open-clip-config.ts";
import { ClipInterpretError } from "../src/support/errors.ts";

const CONFIGS = new URL("../test/goldens/open_clip/configs.json", import.meta.url);

/** What an architecture gives: its config as it is understood, or why it is refused. */
export interface Outcome {
  readonly name: string;
  readonly config?: ModelConfig;
  readonly refused?: string;
}

/** Every architecture that open_clip_torch 3.3.0 names. */
export function openClipOutcomes(): Outcome[] {
  const configs = JSON.parse(readFileSync(CONFIGS, "utf8")) as Record<string, unknown>;
  return Object.entries(configs).map(([name, model_cfg]) => {
    try {
      return { name, config: parseOpenClipConfig({ model_cfg, preprocess_cfg: {} }, name) };
    } catch (error) {
      if (!(error instanceof ClipInterpretError) || error.code !== "MODEL_UNSUPPORTED") throw error;
      return { name, refused: error.message.replace(/^.*?: /, "") };
    }
  });
}

const POOLINGS: Readonly<Record<Pooling, string>> = {
  cls: "CLS token",
  "mean-norm": "mean of patches, then norm",
  "norm-mean": "norm, then mean of patches",
  attention: "attention",
};

const describe = ({ vision, text }: ModelConfig) =>
  `${POOLINGS[vision.pooling]} | ${readsTexts(text) ? "yes" : `no: ${text.unsupported}`}`;

/** Names that have something in common, by what it is, in the order of the first of each. */
function grouped(rows: readonly (readonly [key: string, name: string])[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const [key, name] of rows) groups.set(key, [...(groups.get(key) ?? []), name]);
  return groups;
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

/** The generated part of docs/models.md. */
export function modelTables(): string {
  const outcomes = openClipOutcomes();
  const loaded = outcomes.flatMap(({ name, config }) => (config ? [[describe(config), name] as const] : []));
  const refused = outcomes.flatMap(({ name, refused: why }) => (why ? [[why, name] as const] : []));
  const list = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(", ");
  const families = hfFamilies();
  return [
    `Of the ${outcomes.length} architectures that open_clip_torch 3.3.0 names, ${loaded.length} load:`,
    table(
      ["pooled by", "texts", "", "architectures"],
      [...grouped(loaded)].map(([key, names]) => [...key.split(" | "), String(names.length), list(names)]),
    ),
    `${refused.length} are refused, each with the reason:`,
    table(
      ["architectures", "why"],
      [...grouped(refused)].map(([why, names]) => [list(names), why]),
    ),
    "Of transformers' models, by `model_type`:",
    table(
      ["`model_type`", "pooled by", "texts"],
      families.flatMap(({ type, loads }) =>
        loads
          ? [[`\`${type}\``, POOLINGS[loads.pooling], loads.texts === true ? "yes" : `no: ${loads.texts}`]]
          : [],
      ),
    ),
    table(
      ["refused", "why"],
      families.flatMap(({ type, refused: why }) => (why ? [[`\`${type}\``, why]] : [])),
    ),
  ].join("\n\n");
}

const [START, END] = ["<!-- written by npm run docs:models -->", "<!-- until here -->"];

/** A page with its generated part renewed. */
export function withTables(page: string): string {
  const [before, rest] = page.split(START);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`docs/models.md lacks ${START} … ${END}`);
  return `${before}${START}\n\n${modelTables()}\n\n${END}${after}`;
}
