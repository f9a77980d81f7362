/**
 * One request to a language model, through the AI SDK. This is the only place that imports it. The SDK could log to the
 * console and trace calls; both are off. It connects to the address it is given and to nothing else.
 */
import type { JSONValue, LanguageModel } from "ai";
import { ClipInterpretError } from "../support/errors.ts";
import { networkFetch } from "../support/network.ts";
import type { Manner } from "./llm-manner.ts";

/** A conversation: instructions, worked examples, the question. */
export interface Question {
  /** Nothing is sent where it is empty. */
  readonly system: string;
  readonly turns: readonly { readonly role: "user" | "assistant"; readonly content: string }[];
  /** The JSON that the answer is to be, where the server can see to that. */
  readonly format?: AnswerFormat;
}

type JSONObject = { readonly [name: string]: JSONValue };

/** A JSON schema with the name that goes with it. */
export interface AnswerFormat {
  readonly name: string;
  readonly schema: JSONObject;
}

/** Where a language model is. */
export interface LlmAddress {
  /** The address below which `/chat/completions` lies, such as `http://localhost:11434/v1`. */
  readonly url: string;
  readonly model: string;
  /** Sent as a bearer token; never printed. */
  readonly key?: string | undefined;
}

/** What came back. */
export interface ChatReply {
  readonly text: string;
  /** Thoughts that the server keeps apart from the answer. */
  readonly thoughts: string;
  /** Why it ended: `stop`, `length`, `content-filter` … */
  readonly finish: string;
  readonly tokensIn: number;
  readonly tokensOut: number;
}

/** Asks once, without trying again; throws the SDK's errors. @param maxTokens sent if the manner says so */
export type Chat = (
  question: Question,
  manner: Manner,
  maxTokens: number,
  signal: AbortSignal,
) => Promise<ChatReply>;

/**
 * A server's address without a trailing slash.
 * @throws `USAGE` if it is none, or holds what does not belong into it: a key is given by the environment alone
 */
export function checkUrl(text: string): string {
  const invalid = (why: string) => new ClipInterpretError("USAGE", `--llm-url ${why}`);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw invalid("must start with http:// or https://");
  if (url.username !== "" || url.password !== "") throw invalid("must not hold a name or password");
  if (url.search !== "" || url.hash !== "") throw invalid("must not hold ? or #");
  return url.href.replace(/\/+$/, "");
}

/** What may be told of a server: its host, and its port where it is not the usual one. */
export const hostOf = (url: string): string => new URL(url).host;

/** A way to talk to a model. The SDK's own retries are off, since it cannot tell of them. */
export function createChat({ url, model, key }: LlmAddress): Chat {
  let prepared: ReturnType<typeof prepare> | undefined;
  return async ({ system, turns, format }, manner, maxTokens, abortSignal) => {
    prepared ??= prepare(checkUrl(url), model, key);
    const { generateText, languageModel } = await prepared;
    const more: JSONObject = {
      ...(manner.limit === "max_completion_tokens" && { max_completion_tokens: maxTokens }),
      ...(manner.structured && format && { response_format: responseFormat(format) }),
    };
    const { text, reasoningText, finishReason, usage } = await generateText({
      model: languageModel,
      ...(system !== "" && { system }),
      messages: turns.map((turn) => ({ ...turn })),
      ...(manner.temperature && { temperature: 0 }),
      ...(manner.limit === "max_tokens" && { maxOutputTokens: maxTokens }),
      providerOptions: { [PROVIDER]: more },
      maxRetries: 0,
      abortSignal,
      experimental_telemetry: { isEnabled: false },
    });
    return {
      text,
      thoughts: reasoningText ?? "",
      finish: finishReason,
      tokensIn: usage.inputTokens ?? 0,
      tokensOut: usage.outputTokens ?? 0,
    };
  };
}

const PROVIDER = "llm";

const responseFormat = ({ name, schema }: AnswerFormat): JSONObject => ({
  type: "json_schema",
  json_schema: { name, strict: true, schema },
});

/** Loads the SDK when it is needed: every other command starts faster without it. */
async function prepare(baseURL: string, model: string, apiKey: string | undefined) {
  globalThis.AI_SDK_LOG_WARNINGS = false;
  const [{ generateText }, { createOpenAICompatible }] = await Promise.all([
    import("ai"),
    import("@ai-sdk/openai-compatible"),
  ]);
  const provider = createOpenAICompatible({
    name: PROVIDER,
    baseURL,
    ...(apiKey !== undefined && apiKey !== "" && { apiKey }),
    fetch: onlyThere,
  });
  const languageModel: LanguageModel = provider.chatModel(model);
  return { generateText, languageModel };
}

/** Follows no redirect, which would take questions elsewhere, and does not tell versions of this machine's programs. */
const onlyThere: typeof fetch = (input, init) => {
  const headers = new Headers(init?.headers);
  headers.set("user-agent", "clip-interpret");
  return networkFetch(input, { ...init, headers, redirect: "manual" });
};
