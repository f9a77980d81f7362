/** The options of every command that asks a language model. */
import { join } from "node:path";
import { type Command, Option } from "commander";
import type { Prices } from "../labeling/estimate.ts";
import { createLlm, type Llm } from "../labeling/llm.ts";
import { createAnswerCache } from "../labeling/llm-cache.ts";
import { readExamples } from "../labeling/llm-examples.ts";
import { createPace } from "../labeling/llm-pace.ts";
import { createPrompts, PROMPT_STYLES, type PromptStyle, type Prompts } from "../labeling/llm-prompts.ts";
import { type Environment, ownCacheFolder } from "../support/environment.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { collect, wholeNumber } from "./strings.ts";

/** As a user gives them. */
export interface LlmCliOptions {
  readonly llmUrl?: string;
  readonly llmModel?: string;
  readonly judgeModel: readonly string[];
  readonly judgeEach: boolean;
  readonly prompts: PromptStyle;
  readonly examples?: string;
  readonly keepGoing: boolean;
  readonly llmFormat: "json" | "text";
  readonly llmRpm?: number;
  readonly llmConcurrency: number;
  readonly llmTimeout: number;
  readonly llmRetries: number;
  readonly llmMaxTokens: number;
}

/** Prices as a user gives them. */
interface PriceCliOptions {
  readonly priceIn?: number;
  readonly priceOut?: number;
}

/** Adds them to a command. */
export function addLlmOptions(command: Command): Command {
  return command
    .option(
      "--llm-url <url>",
      "a server that speaks OpenAI's chat completions, such as http://localhost:11434/v1",
    )
    .option(
      "--llm-model <name>",
      "the language model's name there; a key is read from CLIP_INTERPRET_LLM_KEY",
    )
    .option(
      "--judge-model <name>",
      "a model that judges; several: the majority (default: --llm-model)",
      collect,
      [],
    )
    .option("--judge-each", "ask a judge about one description at a time", false)
    .addOption(
      new Option("--prompts <style>", "how a language model is asked: our way, or as in a paper")
        .choices(PROMPT_STYLES)
        .default("ours"),
    )
    .option("--examples <file>", "worked examples (.json) instead of ours")
    .option("--keep-going", "label the other heads where a language model fails for one", false)
    .addOption(
      new Option("--llm-format <form>", "ask for JSON where the server can see to it, or for words")
        .choices(["json", "text"])
        .default("json"),
    )
    .option("--llm-rpm <n>", "at most so many requests a minute", wholeNumber(1))
    .option("--llm-concurrency <n>", "heads that are asked about at once", wholeNumber(1, 64), 4)
    .option("--llm-timeout <s>", "seconds that one answer may take", wholeNumber(1, 86_400), 120)
    .option("--llm-retries <n>", "tries after the first that fails", wholeNumber(0, 100), 5)
    .option("--llm-max-tokens <n>", "tokens that one answer may have; 0: no limit", wholeNumber(0), 256);
}

/** The models that the options name; they share one cache and one pace. */
export interface Models {
  readonly llm: Llm;
  readonly judges: readonly Llm[];
  readonly prompts: Prompts;
}

/**
 * Makes the language models, and the questions that they are asked.
 * @param naming whether one is to name heads, not only to judge
 * @throws `USAGE` if the address or the model is missing; what reading examples throws
 */
export async function createLlms(options: LlmCliOptions, naming: boolean, env: Environment): Promise<Models> {
  const { llmUrl: url, llmModel, judgeModel } = options;
  const name = llmModel ?? (naming ? undefined : judgeModel[0]);
  if (url === undefined || name === undefined) {
    throw new ClipInterpretError("USAGE", "a language model needs --llm-url and --llm-model");
  }
  const shared = {
    url,
    key: env.CLIP_INTERPRET_LLM_KEY,
    cache: createAnswerCache(join(ownCacheFolder(env), "answers")),
    pace: createPace(options.llmRpm),
    timeoutMs: 1000 * options.llmTimeout,
    maxTokens: options.llmMaxTokens,
    structured: options.llmFormat === "json",
    patience: { attempts: options.llmRetries + 1 },
  };
  const made = new Map<string, Llm>();
  const modelOf = (model: string): Llm => {
    const known = made.get(model) ?? createLlm({ ...shared, model });
    made.set(model, known);
    return known;
  };
  const judges = judgeModel.length > 0 ? [...new Set(judgeModel)] : [name];
  const prompts = createPrompts({
    style: options.prompts,
    ...(options.examples !== undefined && { examples: await readExamples(options.examples) }),
    ...(options.judgeEach && { oneByOne: true }),
  });
  return { llm: modelOf(name), judges: judges.map(modelOf), prompts };
}

/** Both prices, or none. @throws `USAGE` if only one is given */
export function pricesOf({ priceIn, priceOut }: PriceCliOptions): Prices | undefined {
  if (priceIn === undefined && priceOut === undefined) return undefined;
  if (priceIn === undefined || priceOut === undefined) {
    throw new ClipInterpretError("USAGE", "give both --price-in and --price-out, or neither");
  }
  return { in: priceIn, out: priceOut };
}
