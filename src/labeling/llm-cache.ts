/** Answers of language models, kept on disk: each is asked for, and paid for, once. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeWhole } from "../support/files.ts";
import { sha256Of } from "../support/hash.ts";
import type { Question } from "./llm-chat.ts";
import { LIMITS, type Manner } from "./llm-manner.ts";

const answerSchema = z.object({
  model: z.string(),
  server: z.string(),
  request: z.string(),
  text: z.string(),
  manner: z.object({ temperature: z.boolean(), limit: z.enum(LIMITS), structured: z.boolean() }),
  tokensIn: z.number(),
  tokensOut: z.number(),
  date: z.string(),
});

/** All that an answer follows from: where it is asked, and everything that is sent there but the key. */
export interface LlmRequest {
  /** The server's address. */
  readonly server: string;
  readonly model: string;
  readonly question: Question;
  /** As it is asked for at first; what of it a server takes follows from the server. */
  readonly manner: Manner;
  readonly maxTokens: number;
}

/** An answer as it came, with where, when and what of the request the server took. */
export type KeptAnswer = Omit<z.infer<typeof answerSchema>, "request">;

/** Answers by request: another server, model, wording or setting is another request. */
export interface AnswerCache {
  /** Nothing if there is none, or its file is damaged. */
  get(request: LlmRequest): Promise<KeptAnswer | undefined>;
  /** @throws `OUTPUT_UNWRITABLE`, `DISK_FULL` */
  put(request: LlmRequest, answer: KeptAnswer): Promise<void>;
}

/** SHA-256 (hex) of any value that JSON can write. */
export const hashOf = (value: unknown): string => sha256Of(JSON.stringify(value));

/** In a fixed order of fields. */
const keyOf = ({ server, model, question: { system, turns, format }, manner, maxTokens }: LlmRequest) => {
  const { temperature, limit, structured } = manner;
  const sent = { system, turns, format: structured ? (format ?? null) : null };
  return hashOf([server, model, sent, temperature, limit, limit === "none" ? null : maxTokens]);
};

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
  const fileOf = (key: string) => join(folder, key.slice(0, 2), `${key}.json`);
  return {
    async get(request) {
      const key = keyOf(request);
      const text = await readFile(fileOf(key), "utf8").catch(() => "");
      try {
        const { request: of, ...kept } = answerSchema.parse(JSON.parse(text));
        return of === key ? kept : undefined;
      } catch {
        return undefined;
      }
    },
    async put(request, answer) {
      const key = keyOf(request);
      await writeWhole(fileOf(key), `${JSON.stringify({ ...answer, request: key })}\n`);
    },
  };
}
