import type { Problem } from "../../../src/results/app.ts";
import { ApiError } from "../state/api.ts";
import type { Client } from "../state/client.ts";
import type { TabRequest, TabStart } from "./worker.ts";

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Starts the thread that answers this tab. */
export async function startTab(): Promise<{
  readonly client: Client;
  /** Comes with the first answer that the model took part in. */
  readonly answered: Promise<void>;
}> {
  const base = document.baseURI.replace(/#.*/, "");
  const facts = (await (await fetch(new URL("page.json", base))).json()) as TabStart["facts"];
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  worker.postMessage({ facts, base } satisfies TabStart);
  const waiting = new Map<number, Waiting>();
  const uploads = new Map<string, string>();
  let lastId = 0;
  let isAnswered = () => {};
  const answered = new Promise<void>((resolve) => {
    isAnswered = resolve;
  });
  worker.onmessage = ({
    data: { id, value, problem },
  }: MessageEvent<{ id: number; value: unknown; problem?: Problem }>) => {
    const one = waiting.get(id);
    waiting.delete(id);
    if (problem) one?.reject(new ApiError(problem));
    else one?.resolve(value);
  };
  worker.onerror = ({ message }) => {
    const gone = new ApiError({
      ...{
        code: "THREAD_ENDED",
        message: `The tab's thread ended: ${message}`,
        hint: "Load the page again.",
      },
    });
    for (const { reject } of waiting.values()) reject(gone);
    waiting.clear();
  };
  const ask: Client["ask"] = async (method, path, body, signal) => {
    const sent = body instanceof Blob ? new Uint8Array(await body.arrayBuffer()) : body;
    const answer = await new Promise<unknown>((resolve, reject) => {
      const id = ++lastId;
      const stop = () => {
        worker.postMessage({ id, stop: true } satisfies TabRequest);
        waiting.delete(id);
        reject(signal?.reason);
      };
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener("abort", stop, { once: true });
      waiting.set(id, {
        resolve(value) {
          signal?.removeEventListener("abort", stop);
          resolve(value);
        },
        reject,
      });
      worker.postMessage({ id, question: { method, path, body: sent } } satisfies TabRequest);
    });
    if (path === "/api/tokens") isAnswered();
    if (body instanceof Blob) {
      const { image } = answer as { image: string };
      if (!uploads.has(image)) uploads.set(image, URL.createObjectURL(body));
    }
    return answer;
  };
  const fileUrl = (image: string) =>
    uploads.get(image) ?? new URL(facts.pictures[image]?.address ?? "", base).href;
  return { client: { hasJobs: false, ask, pictureUrl: fileUrl, fileUrl }, answered };
}
