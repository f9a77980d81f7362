import type { Command } from "commander";

/** A command line to try for each command, shown below its `--help`. Those of one group follow each other. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  serve: ["serve", "serve --index photos.index --labels labels.json"],
  explain: [
    'explain photo.jpg --text "a dog" --text "a cat" --out why.html',
    "explain --json",
    'explain photo.jpg --words --text "two cats on a green sofa" --out words.html',
  ],
  demo: ["demo --out scenes --scenes 500"],
  models: ["models", "models --csv"],
  pull: ["pull ViT-B-32/openai"],
  verify: ["verify ViT-B-32/openai", "verify ./my-checkpoint"],
  segment: ['segment photo.jpg --text "a dog" --text "a cat" --mode contrast --out where.png'],
  index: [
    "index photos --out photos.index",
    "index scenes --out scenes.index",
    "index photos --out photos.index --queue redis://127.0.0.1:6379",
  ],
  worker: ["worker --queue redis://127.0.0.1:6379 --listen 9464"],
  atlas: ["atlas --index scenes.index --out heads", 'atlas --index scenes.index --knows "a red background"'],
  neighbors: [
    "neighbors --index photos.index --heads L3.H1 --image photo.jpg --out near.html",
    'neighbors --index photos.index --heads last4 --text "a red background"',
  ],
  selectivity: ["selectivity --index scenes.index --out factors.html"],
  textspan: [
    "textspan --index scenes.index --heads L3.H1 --out heads.html",
    "textspan --from-weights --model ViT-B-32/openai --out weights.html",
  ],
  label: ["label --index scenes.index --out labels.json"],
  metrics: ["metrics --labels labels.json"],
  calibrate: ["calibrate --labels labels.json --index scenes.index"],
  "evaluate zero-shot": ["evaluate zero-shot --index scenes.index --ablate L3.H2 --out accuracy.png"],
  "evaluate retrieval": ["evaluate retrieval --index scenes.index"],
  "evaluate benchmark": ["evaluate benchmark voc21 --images VOC2012 --model ViT-B-16/openai --csv"],
  "evaluate maps": ["evaluate maps --corpus demo --limit 100 --out maps.html"],
  "evaluate segmentation": ["evaluate segmentation --corpus demo --out sheet.png"],
  registers: ["registers --images photos --model ViT-L-14/laion2b_s32b_b82k"],
  debias: ["debias --out debias.html"],
  compare: [
    "compare --index a.index --index b.index --out pairs.html",
    "compare --base ViT-B-32/openai --model ./fine-tuned --out changes.html",
  ],
  similar: ["similar --index scenes.index --head L3.H1 --csv"],
  study: ["study --out report"],
  decompose: [
    "decompose --pixels pixels.npy --out arrays",
    'decompose --text "a cat" --spatial --out arrays',
  ],
  export: ["export --out encoders"],
  referee: ["referee --out report", "referee --labels labels.json --index scenes.index --out report"],
  preprocess: ["preprocess photo.jpg --out seen.png"],
  tokenize: ["tokenize --texts texts.json"],
  completion: ["completion bash >> ~/.bashrc", "completion zsh >> ~/.zshrc"],
};

/** Shows every command's examples at the end of its help. */
export function addExamples(program: Command): void {
  const visit = (command: Command, path: string) => {
    const lines = (EXAMPLES[path] ?? []).map((line) => `  clip-interpret ${line}`);
    if (lines.length > 0)
      command.addHelpText("after", `\n${lines.length > 1 ? "Examples" : "Example"}:\n${lines.join("\n")}`);
    for (const inner of command.commands) visit(inner, `${path} ${inner.name()}`.trim());
  };
  visit(program, "");
}
