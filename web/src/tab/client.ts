import { knownAnswer, type Question } from "../../../src/tab/facts.ts";
import type { Fetching, KeptModels } from "../../../src/tab/models.ts";
import type { Client } from "../state/client.ts";
import { openKeptAnswers } from "./kept-answers.ts";
import { startThread, type Thread } from "./thread.ts";
import type { TabStart } from "./worker.ts";

/** What answers a tab. */
export interface TabClient {
  readonly client: Client;
  /** Comes with the first answer that a map is drawn from. */
  readonly answered: Promise<void>;
  /** Has the thread ready for what was not answered before. */
  readonly warm: () => Promise<void>;
}

/** Starts what answers this tab: what the page came with, what was answered on another visit, and a thread for the rest. */
export async function startTab(): Promise<TabClient> {
  const base = document.baseURI.replace(/#.*/, "");
  const facts = (await (await fetch(new URL("page.json", base))).json()) as TabStart["facts"];
  const kept = await openKeptAnswers(
    `clip-interpret ${new URL(".", base)} ${facts.version} answers`,
    Object.keys(facts.models),
  );
  const isKept = navigator.serviceWorker?.controller != null;
  const hearing = new Set<(fetching: Fetching) => void>();
  let started: Thread | undefined;
  const thread = () => {
    started ??= startThread({ facts, base, isKept }, (fetching) => {
      for (const hear of hearing) hear(fetching);
    });
    return started;
  };
  // Whoever comes for the first time waits for it.
  if (!kept.some) thread();
  const uploads = new Map<string, string>();
  let isAnswered = () => {};
  const answered = new Promise<void>((resolve) => {
    isAnswered = resolve;
  });
  /** The last question about a picture that needed no thread. */
  let unasked: Question | undefined;
  const ask: Client["ask"] = async (method, path, given, signal) => {
    const body = given instanceof Blob ? new Uint8Array(await given.arrayBuffer()) : given;
    const question = { method, path, body };
    const known = knownAnswer(facts, question);
    if (known !== undefined) return known;
    const file = method === "GET" ? facts.files[path] : undefined;
    if (file !== undefined) return (await fetch(new URL(file, base), { ...(signal && { signal }) })).json();
    const found = await kept.find(question);
    if (found !== undefined && path === "/api/explain") unasked = question;
    const answer = found ?? (await thread().ask(question, signal));
    if (path === "/api/tokens") isAnswered();
    if (found === undefined) void kept.keep(question, answer);
    if (given instanceof Blob) {
      const { image } = answer as { image: string };
      if (!uploads.has(image)) uploads.set(image, URL.createObjectURL(given));
    }
    return answer;
  };
  const fileUrl = (image: string) =>
    uploads.get(image) ?? new URL(facts.pictures[image]?.address ?? "", base).href;
  return {
    client: {
      hasJobs: false,
      views: ["look", "segment", "neighbors", "heads"],
      fetched: {
        async allow(typed) {
          const called = (await thread().control({ allow: typed })) as string;
          // Some hundred MB that were asked for are not to go when the browser tidies up.
          void navigator.storage?.persist?.().catch(() => {});
          return called;
        },
        kept: async () => (await thread().control({ kept: true })) as KeptModels,
        async forget(name) {
          await thread().control({ forget: name });
          await thread().ask({ method: "DELETE", path: `/api/model?${new URLSearchParams({ name })}` });
        },
        stop: async () => void (await thread().control({ stopFetching: true })),
        listen(hear) {
          hearing.add(hear);
          return () => hearing.delete(hear);
        },
      },
      ask,
      pictureUrl: fileUrl,
      fileUrl,
    },
    answered,
    async warm() {
      if (unasked)
        await thread()
          .ask(unasked)
          .catch(() => {});
    },
  };
}
