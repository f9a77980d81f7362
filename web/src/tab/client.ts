import { LRUCache } from "lru-cache";
import { isCollection, nameOfAddress, pictureFile } from "../../../src/tab/addresses.ts";
import { knownAnswer, type Question } from "../../../src/tab/facts.ts";
import type { Fetching, KeptModels } from "../../../src/tab/models.ts";
import type { App } from "../state/api.ts";
import type { Client, JobsHeard } from "../state/client.ts";
import { createGpuChoice } from "./gpu-choice.ts";
import { openKeptAnswers } from "./kept-answers.ts";
import { FOLDERS } from "./private-store.ts";
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

/** Pictures of a visitor, and of collections, that can be shown; of more, those that were seen last. */
const MOST_SHOWN = 500;

/** Starts what answers this tab: what the page came with, what was answered on another visit, and a thread for the rest. */
export async function startTab(): Promise<TabClient> {
  const base = document.baseURI.replace(/#.*/, "");
  // Nothing waits for what is kept but what is asked of it: the browser takes its time to say.
  let hasFolders = areFoldersKept();
  const facts = (await (await fetch(new URL("page.json", base))).json()) as TabStart["facts"];
  const kept = openKeptAnswers(
    `clip-interpret ${new URL(".", base)} ${facts.version} answers`,
    Object.keys(facts.models),
  );
  const isKept = navigator.serviceWorker?.controller != null;
  const hearing = new Set<(fetching: Fetching) => void>();
  const index = indexAsked();
  const gpu = createGpuChoice((device) =>
    thread().ask({ method: "POST", path: "/api/device", body: { device } }),
  );
  let heard: JobsHeard | undefined;
  let started: Thread | undefined;
  const thread = () => {
    started ??= startThread({ facts, base, isKept, index, onGpu: gpu.isOn() }, (said) => {
      if ("job" in said) heard?.job(said.job);
      else if ("gpu" in said) gpu.hear(said.model, said.gpu);
      else for (const hear of hearing) hear(said.fetching);
    });
    return started;
  };
  // Whoever comes for the first time waits for it.
  void kept.then(({ some }) => some || thread());
  const uploads = new LRUCache<string, string>({
    max: MOST_SHOWN,
    dispose: (url) => URL.revokeObjectURL(url),
  });
  let isAnswered = () => {};
  const answered = new Promise<void>((resolve) => {
    isAnswered = resolve;
  });
  /** The last question about a picture that needed no thread. */
  let unasked: Question | undefined;
  /** Pictures of collections, by what they are called: a page can show nothing that it has to wait for. */
  const shown = new LRUCache<string, string>({ max: MOST_SHOWN, dispose: (url) => URL.revokeObjectURL(url) });
  const show = async (image: string) => {
    if (shown.has(image)) return;
    const path = `/api/images/${encodeURIComponent(image)}/file`;
    const file = image.startsWith("own-")
      ? await keptPicture(image)
      : ((await thread().ask({ method: "GET", path })) as Uint8Array<ArrayBuffer>);
    shown.set(image, URL.createObjectURL(file instanceof Blob ? file : new Blob([file])));
  };
  /** What the page knows without a thread. */
  const known = async (question: Question) => {
    const isOther = /^\/api\/corpora\?/.test(question.path) && (index !== null || (await hasFolders));
    if (isOther || isCollection(question.path.replace("/api/corpora/", ""))) return undefined;
    const answer = knownAnswer(facts, question);
    const isApp = question.path === "/api/app" && index !== null;
    return isApp ? { ...(answer as App), defaultCorpus: nameOfAddress(index) } : answer;
  };
  const ask: Client["ask"] = async (method, path, given, signal) => {
    const body = given instanceof Blob ? new Uint8Array(await given.arrayBuffer()) : given;
    const question = { method, path, body };
    const answerKnown = await known(question);
    if (answerKnown !== undefined) return answerKnown;
    const file = method === "GET" ? facts.files[path] : undefined;
    if (file !== undefined) return (await fetch(new URL(file, base), { ...(signal && { signal }) })).json();
    const found = await (await kept).find(question, gpu.isOn() ? "webgpu" : "cpu");
    if (found !== undefined && path === "/api/explain") unasked = question;
    const answer = found ?? (await thread().ask(question, signal));
    if (path === "/api/tokens") isAnswered();
    if (method === "POST" && path === "/api/corpora") hasFolders = Promise.resolve(true);
    if (found === undefined) void (await kept).keep(question, answer);
    if (given instanceof Blob) {
      const { image } = answer as { image: string };
      if (!uploads.has(image)) uploads.set(image, URL.createObjectURL(given));
    }
    // What cannot be shown has a frame in its place.
    await Promise.allSettled(picturesIn(answer, question).map(show));
    return answer;
  };
  const fileUrl = (image: string) =>
    uploads.get(image) ?? shown.get(image) ?? new URL(facts.pictures[image]?.address ?? "", base).href;
  return {
    client: {
      hasJobs: false,
      gpu,
      takesFolders: true,
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
          await thread().control({ letGo: name });
          await thread().ask({ method: "DELETE", path: `/api/model?${new URLSearchParams({ name })}` });
        },
        stop: async () => void (await thread().control({ stopFetching: true })),
        listen(hear) {
          hearing.add(hear);
          return () => hearing.delete(hear);
        },
      },
      ask,
      listen(hear) {
        heard = hear;
        return () => {
          heard = undefined;
        };
      },
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

/** The address of an index that the page is opened with: `?index=…`. */
function indexAsked(): string | null {
  const asked = new URLSearchParams(location.search).get("index");
  return asked !== null && URL.canParse(asked, location.href) ? new URL(asked, location.href).href : null;
}

/** Whether folders were given to this page before. */
async function areFoldersKept(): Promise<boolean> {
  const top = await navigator.storage?.getDirectory?.().catch(() => undefined);
  const folders = await top?.getDirectoryHandle(FOLDERS).catch(() => undefined);
  return folders !== undefined && (await folders.keys().next()).done !== true;
}

async function keptPicture(image: string): Promise<File> {
  const [corpus = "", id = ""] = image.split(":");
  let folder = await navigator.storage.getDirectory();
  const path = [FOLDERS, corpus, ...pictureFile(id).split("/")];
  for (const step of path.slice(0, -1)) folder = await folder.getDirectoryHandle(step);
  return (await folder.getFileHandle(path.at(-1)!)).getFile();
}

/** Pictures of collections that an answer names. */
function picturesIn(answer: unknown, { body }: Question): string[] {
  const within = (body as { readonly corpus?: unknown } | undefined)?.corpus;
  const corpus = typeof within === "string" && isCollection(within) ? within : undefined;
  const found = new Set<string>();
  const look = (value: unknown) => {
    if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return;
    const { image, id, path } = value as Record<string, unknown>;
    if (typeof image === "string" && isCollection(image)) found.add(image);
    if (corpus !== undefined && typeof id === "string" && typeof path === "string")
      found.add(`${corpus}:${id}`);
    for (const part of Object.values(value)) look(part);
  };
  look(answer);
  return [...found];
}
