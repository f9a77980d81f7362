/**
 * Names for heads from a language model on this machine (Ollama, vLLM, llama.cpp: whatever speaks OpenAI's chat completions).
 * Run it with `npm run build && LLM_URL=http://localhost:11434/v1 LLM_MODEL=qwen3 npx tsx examples/labels-with-a-local-llm.ts`.
 */
import { describeHeads, labelHeads, openIndex, openModel, parseHeads } from "clip-interpret";
import {
  createAnswerCache,
  createLlm,
  defaultPool,
  llmJudge,
  llmLabeller,
  loadPool,
} from "clip-interpret/labeling";

/** What the language model calls each head, who said so, and how many of its descriptions fit the name. */
export async function nameHeads(folder: string, heads: string, url: string, name: string, answers: string) {
  const model = await openModel();
  const index = await openIndex(model, folder);
  const pool = await loadPool(defaultPool(model.name));
  const described = await describeHeads(model, index, parseHeads(model, heads), pool, { iterations: 5 });
  await model.release();
  // Answers are kept, so that nothing is asked twice.
  const llm = createLlm({ url, model: name, cache: createAnswerCache(answers) });
  const { labels } = await labelHeads(described.heads, {
    ...{ model: model.name, source: "TEXTSPAN, five texts a head" },
    ...{ labeller: llmLabeller(llm), judge: llmJudge([llm]) },
  });
  const named = Object.entries(labels.heads).map(([head, { label, labeller, consistent }]) => ({
    ...{ head, label, by: labeller?.by },
    fit: consistent?.filter(Boolean).length ?? 0,
  }));
  return { named, asked: llm.usage().asked };
}

if (process.argv[1] === import.meta.filename) {
  const { LLM_URL = "http://localhost:11434/v1", LLM_MODEL = "qwen3" } = process.env;
  const { named } = await nameHeads("out/scenes.index", "L2-L3", LLM_URL, LLM_MODEL, "out/answers");
  for (const { head, label, by, fit } of named) console.log(`${head}  ${label}  (${by}; ${fit} of 5 fit)`);
}
