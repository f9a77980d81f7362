/** A language model to ask: answers from the cache first, then with patience from the server. */
import { PATIENCE, PassingFailure, type Patience, retrying } from "../hub/retry.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { type AskOptions, today } from "./labeller.ts";
import { withoutThoughts } from "./llm-answers.ts";
import type { AnswerCache, KeptAnswer, LlmRequest } from "./llm-cache.ts";
import { type ChatReply, checkUrl, createChat, type LlmAddress, type Question } from "./llm-chat.ts";
import { failureOf, simplerAfter } from "./llm-errors.ts";
import { type Manner, simplestOf } from "./llm-manner.ts";
import { createPace, type Pace } from "./llm-pace.ts";

/** Reads an answer. @throws `LLM_REFUSED`, `LLM_ANSWER_INVALID` */
export type Parse<T> = (text: string) => T;

/** An answer that was understood. */
export interface Answer<T> {
  readonly value: T;
  /** When it was given: by the server, not by the cache. */
  readonly date: string;
  /** The server does not take temperature 0: the same question may get another answer. */
  readonly ownTemperature: boolean;
}

/** What asking has cost so far. */
export interface Usage {
  /** Questions that went to the server, not counting tries that failed. */
  readonly asked: number;
  /** Questions that the cache answered. */
  readonly cached: number;
  /** As the server counts; 0 where it does not. */
  readonly tokensIn: number;
  readonly tokensOut: number;
}

/** A language model at a server. */
export interface Llm {
  readonly model: string;
  /** The server's address. */
  readonly server: string;
  /** The kept answer to a question, if there is one that can be read. */
  known<T>(question: Question, parse: Parse<T>): Promise<Answer<T> | undefined>;
  /**
   * Asks; an answer that can be read is kept before it is returned.
   * @throws the `LLM_…` errors, `CANCELLED`
   */
  ask<T>(question: Question, parse: Parse<T>, options: AskOptions): Promise<Answer<T>>;
  usage(): Usage;
}

/** Which model, and how it is asked. */
export interface LlmOptions extends LlmAddress {
  readonly cache: AnswerCache;
  /** Shared by all models at one server. Default: no limit. */
  readonly pace?: Pace;
  /** How long one answer may take. Default: 120 s. */
  readonly timeoutMs?: number;
  /** An answer may not be longer; 0: the server is told of no limit. Default: 256. */
  readonly maxTokens?: number;
  /** Asks for JSON where the question says which. Default: true. */
  readonly structured?: boolean;
  /** Tries and pauses. Default: as for downloads. */
  readonly patience?: Partial<Patience>;
}

/**
 * A language model behind any server that speaks OpenAI's chat completions. It is asked for JSON, at temperature 0, with
 * a limit of tokens; what of these a server refuses is left out from then on. A model that thinks until the limit is asked
 * again without one.
 * @throws `USAGE` for an address that is none
 * @example
 * ```ts
 * import { createAnswerCache, createLlm } from "clip-interpret/labeling";
 *
 * const url = process.env.LLM_URL ?? "http://localhost:11434/v1";
 * const llm = createLlm({ url, model: "llama3.1", cache: createAnswerCache("out/answers") });
 * console.log(llm.model, llm.usage().asked); // → llama3.1 0
 * ```
 */
export function createLlm(options: LlmOptions): Llm {
  const { model, key, cache, timeoutMs = 120_000, maxTokens = 256, pace = createPace() } = options;
  const server = checkUrl(options.url);
  const address = { url: server, model, key };
  const chat = createChat(address);
  const patience = { ...PATIENCE, ...options.patience };
  const first: Manner = {
    temperature: true,
    limit: maxTokens === 0 ? "none" : "max_tokens",
    structured: options.structured ?? true,
  };
  let manner = first;
  let usage: Usage = { asked: 0, cached: 0, tokensIn: 0, tokensOut: 0 };
  const requestOf = (question: Question): LlmRequest => ({
    ...{ server, model, question, manner: first, maxTokens },
  });

  /** One request: an answer, or the manner in which to ask again. */
  const once = async (
    question: Question,
    asked: Manner,
    signal: AbortSignal | undefined,
  ): Promise<ChatReply | Manner> => {
    const timeout = AbortSignal.timeout(timeoutMs);
    const stop = signal ? AbortSignal.any([signal, timeout]) : timeout;
    try {
      const reply = await chat(question, asked, maxTokens, stop);
      if (asked.limit !== "none" && cutOffInThought(reply)) return { ...asked, limit: "none" };
      requireAnswer(reply, model, asked.limit === "none" ? undefined : maxTokens);
      return reply;
    } catch (error) {
      if (error instanceof ClipInterpretError || error instanceof PassingFailure) throw error;
      const simpler = simplerAfter(error, asked);
      if (simpler) return simpler;
      const failure = failureOf(error, address, timeout.aborted ? timeoutMs : undefined);
      if (failure instanceof PassingFailure && failure.waitMs !== undefined) {
        pace.hold(Math.min(failure.waitMs, patience.longestPauseMs));
      }
      throw failure;
    }
  };

  const known = async <T>(question: Question, parse: Parse<T>): Promise<Answer<T> | undefined> => {
    const kept = await cache.get(requestOf(question));
    try {
      return kept && answerOf(parse(kept.text), kept);
    } catch {
      return undefined;
    }
  };

  return {
    model,
    server,
    known,
    async ask(question, parse, { report, signal, ending }) {
      const before = await known(question, parse);
      if (before) {
        usage = { ...usage, cached: usage.cached + 1 };
        return before;
      }
      const waiting = AbortSignal.any([signal, ending].filter((one) => one !== undefined));
      const work = { signal: waiting, ...(report && { report }) };
      try {
        const { reply, asked } = await retrying(
          async () => {
            for (;;) {
              await pace.turn(waiting);
              const asked = manner;
              const reply = await once(question, asked, signal);
              if ("text" in reply) return { reply, asked };
              manner = simplestOf(manner, reply);
            }
          },
          patience,
          work,
        );
        const { text, tokensIn, tokensOut } = reply;
        usage = {
          ...usage,
          asked: usage.asked + 1,
          tokensIn: usage.tokensIn + tokensIn,
          tokensOut: usage.tokensOut + tokensOut,
        };
        const value = parse(text);
        const kept: KeptAnswer = {
          ...{ model, server, text, tokensIn, tokensOut, manner: asked, date: today() },
        };
        await cache.put(requestOf(question), kept);
        return answerOf(value, kept);
      } catch (error) {
        throw waiting.aborted ? stopped(error) : error;
      }
    },
    usage: () => usage,
  };
}

const answerOf = <T>(value: T, { date, manner }: KeptAnswer): Answer<T> => ({
  ...{ value, date, ownTemperature: !manner.temperature },
});

/** True where the limit was reached before the model had begun to answer. */
const cutOffInThought = ({ text, thoughts, finish }: ChatReply): boolean =>
  finish === "length" && withoutThoughts(text) === "" && (text.trim() !== "" || thoughts !== "");

/** Refuses what is no whole answer: a model that declines, says nothing, or is cut off. */
function requireAnswer({ text, finish }: ChatReply, model: string, maxTokens: number | undefined): void {
  if (finish === "content-filter") {
    const said = text.trim() === "" ? "" : `: "${text.trim().slice(0, 200)}"`;
    throw new ClipInterpretError("LLM_REFUSED", `${model} declines to answer${said}`);
  }
  if (finish === "length") {
    const hint = "Raise --llm-max-tokens (0: no limit), or use another model.";
    const message = `${model} was not done after ${maxTokens ?? "all the"} tokens${maxTokens === undefined ? " that the server allows" : ""}`;
    throw new ClipInterpretError("LLM_ANSWER_INVALID", message, { hint });
  }
  if (text.trim() !== "") return;
  throw new PassingFailure(new ClipInterpretError("LLM_ANSWER_INVALID", `${model} gave an empty answer`));
}

const stopped = (cause: unknown): ClipInterpretError =>
  new ClipInterpretError("CANCELLED", "labelling was stopped", {
    hint: "What was answered is kept; run the same command again and only the rest is asked for.",
    cause,
  });
