import type { Question } from "../../../src/tab/facts.ts";

/** Answers that are kept; of more, those that were given first are forgotten. */
const MOST = 100;
/** Characters of an answer that is worth keeping. */
const LONGEST = 2e6;

/** What was answered in this browser before. */
export interface KeptAnswers {
  /** Whether there are any. */
  readonly some: boolean;
  /** @param device where models are computed: what was computed elsewhere is not found */
  find(question: Question, device: string): Promise<unknown>;
  /** Remembers an answer, unless it is about a file that is not there on another visit. */
  keep(question: Question, answer: unknown): Promise<void>;
}

/**
 * Answers of one version of the page: its code, models and pictures are the same, so that what was answered once stays right. Where
 * the browser keeps nothing, which it does on a page without HTTPS, nothing is found.
 *
 * @param name of the page's version; what is kept for others is forgotten by the service worker
 * @param models that came with the page; others may be another on another day
 */
export async function openKeptAnswers(name: string, models: readonly string[]): Promise<KeptAnswers> {
  const cache = await globalThis.caches?.open(name).catch(() => undefined);
  const before = await cache?.keys().catch(() => undefined);
  if (!cache || !before) return { some: false, find: async () => undefined, keep: async () => {} };
  const addressOf = ({ method, path, body }: Question, device: string) =>
    `https://answers.invalid/?${encodeURIComponent(JSON.stringify([method, path, body, device]))}`;
  /** Not of files that were dropped in, which may be gone, nor of what may be another by then; and nothing that changes anything. */
  const isLasting = ({ method, path, body }: Question): boolean =>
    ["GET", "POST"].includes(method) &&
    !(body instanceof Uint8Array) &&
    !/^\/api\/(verify|corpora|jobs)|upload(:|%3A)|\b(own|at)-/.test(`${path} ${JSON.stringify(body)}`) &&
    models.includes(modelOf(path, body) ?? models[0]!);
  let count = before.length;
  return {
    some: count > 0,
    async find(question, device) {
      if (!isLasting(question)) return undefined;
      return (await cache.match(addressOf(question, device)))?.json();
    },
    async keep(question, answer) {
      if (!isLasting(question)) return;
      const text = JSON.stringify(answer);
      if (text.length > LONGEST) return;
      await cache.put(addressOf(question, deviceOf(answer)), new Response(text));
      if (++count <= MOST) return;
      const all = await cache.keys();
      count = Math.min(all.length, MOST);
      await Promise.all(all.slice(0, all.length - MOST).map((request) => cache.delete(request)));
    },
  };
}

/** Where an answer was computed, as it says itself. */
function deviceOf(answer: unknown): string {
  const { origin } = answer as { readonly origin?: { readonly model?: { readonly device?: string } } };
  return origin?.model?.device ?? "cpu";
}

/** Which model a question is about, if any. */
function modelOf(path: string, body: unknown): string | undefined {
  const query = new URLSearchParams(path.split("?")[1]);
  return query.get("model") ?? query.get("name") ?? (body as { model?: string } | undefined)?.model;
}
