/** Answers of language models, kept on disk: each is asked for, and paid for, once. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeWhole } from "../support/files.ts";
import { sha256Of } from "../support/hash.ts";
import type { Question } from "./llm-chat.ts";

const answerSchema = z.object({
  model: z.string(),
  server: z.string(),
  question: z.string(),
  text: z.string(),
  tokensIn: z.number(),
  tokensOut: z.number(),
  date: z.string(),
});

/** An answer as it came, with where and when. */
export type KeptAnswer = Omit<z.infer<typeof answerSchema>, "question">;

/** Answers by model and question. */
export interface AnswerCache {
  /** Nothing if there is none, or its file is damaged. */
  get(model: string, question: Question): Promise<KeptAnswer | undefined>;
  /** @throws `OUTPUT_UNWRITABLE`, `DISK_FULL` */
  put(question: Question, answer: KeptAnswer): Promise<void>;
}

/** SHA-256 (hex) of any value that JSON can write. */
export const hashOf = (value: unknown): string => sha256Of(JSON.stringify(value));

/**
 * A cache in a folder, one file an answer; a file appears whole or not at all.
 *
 * @example
 * ```ts
 * import { createAnswerCache, createLlm } from "clip-interpret/labeling";
 *
 * const url = process.env.LLM_URL ?? "http://localhost:11434/v1";
 * const llm = createLlm({ url, model: "llama3.1", cache: createAnswerCache("out/answers") });
 * console.log(llm.usage()); // → { asked: 0, cached: 0, tokensIn: 0, tokensOut: 0 }
 * ```
 */
export function createAnswerCache(folder: string): AnswerCache {
  const fileOf = (model: string, question: Question) => {
    const key = hashOf({ model, question });
    return join(folder, key.slice(0, 2), `${key}.json`);
  };
  return {
    async get(model, question) {
      const text = await readFile(fileOf(model, question), "utf8").catch(() => "");
      try {
        const kept = answerSchema.parse(JSON.parse(text));
        return kept.model === model && kept.question === hashOf(question) ? kept : undefined;
      } catch {
        return undefined;
      }
    },
    async put(question, answer) {
      const path = fileOf(answer.model, question);
      await writeWhole(path, `${JSON.stringify({ ...answer, question: hashOf(question) })}\n`);
    },
  };
}
