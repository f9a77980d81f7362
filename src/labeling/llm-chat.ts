/**
 * One request to a language model, through the AI SDK. This is the only place that imports it. The SDK could log to the
 * console and trace calls; both are off. It connects to the address it is given and to nothing else.
 */
import type { LanguageModel } from "ai";
import { ClipInterpretError } from "../support/errors.ts";
import { networkFetch } from "../support/network.ts";

/** A conversation: instructions, worked examples, the question. */
export interface Question {
  readonly system: string;
  readonly turns: readonly { readonly role: "user" | "assistant"; readonly content: string }[];
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
  /** Why it ended: `stop`, `length`, `content-filter` … */
  readonly finish: string;
  readonly tokensIn: number;
  readonly tokensOut: number;
}

/** Asks once, without trying again; throws the SDK's errors. */
export type Chat = (question: Question, maxTokens: number, signal: AbortSignal) => Promise<ChatReply>;

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

/** A way to talk to a model. Temperature 0; the SDK's own retries are off, since it cannot tell of them. */
export function createChat({ url, model, key }: LlmAddress): Chat {
  let prepared: ReturnType<typeof prepare> | undefined;
  return async ({ system, turns }, maxTokens, abortSignal) => {
    prepared ??= prepare(checkUrl(url), model, key);
    const { generateText, languageModel } = await prepared;
    const { text, finishReason, usage } = await generateText({
      model: languageModel,
      system,
      messages: turns.map((turn) => ({ ...turn })),
      temperature: 0,
      maxOutputTokens: maxTokens,
      maxRetries: 0,
      abortSignal,
      experimental_telemetry: { isEnabled: false },
    });
    return {
      text,
      finish: finishReason,
      tokensIn: usage.inputTokens ?? 0,
      tokensOut: usage.outputTokens ?? 0,
    };
  };
}

/** Loads the SDK when it is needed: every other command starts faster without it. */
async function prepare(baseURL: string, model: string, apiKey: string | undefined) {
  globalThis.AI_SDK_LOG_WARNINGS = false;
  const [{ generateText }, { createOpenAICompatible }] = await Promise.all([
    import("ai"),
    import("@ai-sdk/openai-compatible"),
  ]);
  const provider = createOpenAICompatible({
    name: "llm",
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
