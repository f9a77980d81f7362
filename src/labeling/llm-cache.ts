/** Answers of language models, kept on disk: each is asked for, and paid for, once. */
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { ClipInterpretError, messageOf } from "../support/errors.ts";
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
  /** @throws `OUTPUT_UNWRITABLE` */
  put(question: Question, answer: KeptAnswer): Promise<void>;
}

/** SHA-256 (hex) of any value that JSON can write. */
export const hashOf = (value: unknown): string =>
  createHash("sha256").update(JSON.stringify(value)).digest("hex");

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
      const partial = `${path}.${randomUUID()}.part`;
      try {
        await mkdir(dirname(path), { recursive: true });
        await writeFile(partial, `${JSON.stringify({ ...answer, question: hashOf(question) })}\n`);
        await rename(partial, path);
      } catch (cause) {
        await rm(partial, { force: true });
        const why = messageOf(cause);
        throw new ClipInterpretError("OUTPUT_UNWRITABLE", `cannot keep an answer in ${folder}: ${why}`, {
          cause,
        });
      }
    },
  };
}
