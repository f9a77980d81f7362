/** What goes wrong between here and a language model, as errors a user can act on. */
import { PassingFailure, reasonOf } from "../hub/retry.ts";
import { ClipInterpretError, type ErrorCode } from "../support/errors.ts";
import type { LlmAddress } from "./llm-chat.ts";
import { type Manner, simplerManner } from "./llm-manner.ts";

/** The fields of the AI SDK's `APICallError` that are read here; it is recognised by name, to load the SDK late. */
interface ApiCallError extends Error {
  readonly statusCode?: number;
  readonly responseHeaders?: Readonly<Record<string, string>>;
  readonly responseBody?: string;
}

const isApiCallError = (error: unknown): error is ApiCallError =>
  error instanceof Error && error.name === "AI_APICallError";

/** Errors of one answer: other heads may still get theirs. */
export const isOfOneAnswer = (error: unknown): error is ClipInterpretError =>
  error instanceof ClipInterpretError &&
  (error.code === "LLM_REFUSED" || error.code === "LLM_ANSWER_INVALID");

/** Errors of a request that others may be spared: one that is too long, that takes too long, that breaks off. */
export const mayBeOfOneRequest = (error: unknown): error is ClipInterpretError =>
  error instanceof ClipInterpretError &&
  (error.code === "LLM_REJECTED" || error.code === "LLM_TIMEOUT" || error.code === "LLM_UNREACHABLE");

/** How to ask again after a server refused a part of a request that can be left out; undefined for any other failure. */
export const simplerAfter = (error: unknown, manner: Manner): Manner | undefined =>
  isApiCallError(error) && error.statusCode !== undefined
    ? simplerManner(manner, error.statusCode, (error.responseBody ?? error.message).slice(0, 4000))
    : undefined;

/**
 * What a failed request means: a {@link PassingFailure} if trying again may help, else the error itself.
 * @param timeoutMs set when the request was stopped because it took so long
 */
export function failureOf(
  error: unknown,
  address: LlmAddress,
  timeoutMs: number | undefined,
): ClipInterpretError | PassingFailure {
  const { url, model, key } = address;
  const coded = (code: ErrorCode, message: string) =>
    new ClipInterpretError(code, withoutKey(message, key), { cause: error });
  if (timeoutMs !== undefined) {
    return new PassingFailure(coded("LLM_TIMEOUT", `${model} at ${url} took over ${timeoutMs / 1000} s`));
  }
  if (error instanceof ClipInterpretError) return error;
  if (!isApiCallError(error)) {
    // The SDK's other errors are of answers that are no chat completion.
    return new PassingFailure(coded("LLM_ANSWER_INVALID", `${url} answers nonsense: ${reasonOf(error)}`));
  }
  const { statusCode: status } = error;
  if (status === undefined) {
    return new PassingFailure(coded("LLM_UNREACHABLE", `cannot reach ${url}: ${reasonOf(error)}`));
  }
  if (status >= 200 && status < 300) {
    return new PassingFailure(
      isOfContent(error.cause)
        ? coded("LLM_ANSWER_INVALID", `${url} answers no chat completion: ${error.message}`)
        : coded("LLM_UNREACHABLE", `the answer of ${url} broke off: ${reasonOf(error)}`),
    );
  }
  const said = saidBy(error);
  const answered = `${url} answers ${status}${said === "" ? "" : `: ${said}`}`;
  if (status === 401 || status === 403) {
    return coded("LLM_UNAUTHORIZED", `${answered} (${key ? "a key was sent" : "no key was sent"})`);
  }
  if (status === 404) return coded("LLM_MODEL_UNKNOWN", `${answered}; asked for ${model}`);
  if (status === 429) {
    const limited = coded("LLM_RATE_LIMITED", answered);
    return /insufficient_quota/.test(error.responseBody ?? "")
      ? limited
      : new PassingFailure(limited, waitOf(error));
  }
  if (status === 408 || status >= 500) {
    return new PassingFailure(coded("LLM_UNREACHABLE", answered), waitOf(error));
  }
  if (status >= 300 && status < 400) {
    const to = error.responseHeaders?.location ?? "somewhere else";
    return coded(
      "LLM_REJECTED",
      `${url} redirects to ${to}; nothing is sent there unless --llm-url names it`,
    );
  }
  const filtered = /content[_ ](filter|policy|management)/i.test(error.responseBody ?? "");
  return coded(filtered ? "LLM_REFUSED" : "LLM_REJECTED", answered);
}

/** True for the SDK's errors about what an answer holds, as against how it came. */
const isOfContent = (cause: unknown): boolean =>
  cause instanceof Error &&
  /^AI_(JSONParseError|TypeValidationError|EmptyResponseBodyError)$/.test(cause.name);

/** A server's own words, wherever it puts them. */
function saidBy({ responseBody = "", message }: ApiCallError): string {
  const short = (text: string) => (text.length > 300 ? `${text.slice(0, 300)}…` : text);
  try {
    const body: unknown = JSON.parse(responseBody);
    const field = (value: unknown, name: string): unknown =>
      typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
    const error = field(body, "error");
    const said = [field(error, "message"), error, field(body, "message"), field(body, "detail")];
    return short(said.find((words) => typeof words === "string") ?? message);
  } catch {
    return short(message);
  }
}

/** How long a server asks to wait, in milliseconds. */
function waitOf({ responseHeaders = {} }: ApiCallError): number | undefined {
  const exact = Number.parseFloat(responseHeaders["retry-after-ms"] ?? "");
  if (exact >= 0) return exact;
  const after = responseHeaders["retry-after"] ?? "";
  const seconds = Number(after);
  if (after.trim() !== "" && seconds >= 0) return seconds * 1000;
  const until = Date.parse(after) - Date.now();
  return Number.isNaN(until) ? undefined : Math.max(0, until);
}

/** Servers like to repeat a key that they refuse. */
const withoutKey = (message: string, key: string | undefined): string =>
  key === undefined || key === "" ? message : message.replaceAll(key, "[key]");
