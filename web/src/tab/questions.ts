import { ApiError } from "../state/api.ts";
import type { Reply } from "./reply.ts";

/** A question before it has its number. */
export type WithoutId<Request> = Request extends { readonly id: number } ? Omit<Request, "id"> : never;

/** Asks a thread. @param signal of whoever asks: what is not wanted any more is not waited for, and the thread hears `{ id, stop: true }` */
export type Ask<Body> = (body: Body, signal?: AbortSignal) => Promise<unknown>;

/** What else is to be known of a thread. */
export interface ThreadEvents<News> {
  /** What it says by itself. */
  readonly hear?: (news: News) => void;
  /** It is gone. */
  readonly ended?: () => void;
  /** What those can do who waited for it then. */
  readonly hint?: string;
}

/** Sends questions to a thread, each under a number of its own, and keeps who waits for what. @param who it is: `The tab's thread` */
export function askIn<Body extends object, News = never>(
  worker: Worker,
  who: string,
  { hear, ended, hint = "Load the page again." }: ThreadEvents<News> = {},
): Ask<Body> {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  let lastId = 0;
  worker.onmessage = ({ data }: MessageEvent<Reply | News>) => {
    if (!isReply(data)) return hear?.(data);
    const one = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.problem) one?.reject(new ApiError(data.problem));
    else one?.resolve(data.value);
  };
  worker.onerror = ({ message }) => {
    ended?.();
    const error = new ApiError({ code: "THREAD_ENDED", message: `${who} ended: ${message}`, hint });
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  return async (body, signal) => {
    signal?.throwIfAborted();
    const id = ++lastId;
    const stopped = new AbortController();
    signal?.addEventListener(
      "abort",
      () => {
        worker.postMessage({ id, stop: true });
        waiting.get(id)?.reject(signal.reason);
        waiting.delete(id);
      },
      { signal: stopped.signal },
    );
    try {
      return await new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        worker.postMessage({ id, ...body });
      });
    } finally {
      stopped.abort();
    }
  };
}

const isReply = (said: unknown): said is Reply => typeof said === "object" && said !== null && "id" in said;
