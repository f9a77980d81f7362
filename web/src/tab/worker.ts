/** The thread of a page without a server that answers it: models run here, so that the page never waits for them. */
import * as ort from "onnxruntime-web/wasm";
import { type ClipModel, openWebIndex, openWebModel, webBytes } from "../../../src/public/browser.ts";
import { problemOf } from "../../../src/server/problems.ts";
import { once, sharedCache } from "../../../src/support/shared.ts";
import { type Answer, createAnswers } from "../../../src/tab/answers.ts";
import { createCollections } from "../../../src/tab/collections.ts";
import type { PageFacts, Question } from "../../../src/tab/facts.ts";
import { indexAt } from "../../../src/tab/index-at.ts";
import { createKeptFolders, type KeptFolders } from "../../../src/tab/kept-folders.ts";
import type { App } from "../state/api.ts";
import { FOLDERS, privateStore } from "./private-store.ts";
import { unpacked } from "./unpack.ts";

/** What the page says first. */
export interface TabStart {
  readonly facts: PageFacts & { readonly models: Readonly<Record<string, ModelFiles>> };
  /** Where the page lies. */
  readonly base: string;
  /** Whether the service worker answers, which has the runtime unpacked. */
  readonly isKept: boolean;
  /** The address of an index that is searched beside those that came with the page. */
  readonly index: string | null;
}
/** A model's files with their SHA-256. */
export type ModelFiles = Readonly<Record<string, string>>;

/** What the page says next, as often as it likes. */
export type TabRequest =
  | { readonly id: number; readonly question: Question }
  | { readonly id: number; readonly stop: true };

const MOST_MODELS = 3;

/** What the page waits for least: it is answered when nothing else is to be. */
const LATER = /^\/api\/(neighbors|means|words|without)/;

type Asked = Extract<TabRequest, { readonly question: Question }>;

const running = new Map<number, AbortController>();
const waiting: Asked[] = [];
let answer: Promise<Answer> | undefined;
let folders: KeptFolders | undefined;
let isAtWork = false;

self.onmessage = ({ data }: MessageEvent<TabStart | TabRequest>) => {
  if ("facts" in data) {
    answer = start(data);
    return;
  }
  if ("stop" in data) {
    running.get(data.id)?.abort();
    return;
  }
  running.set(data.id, new AbortController());
  waiting.push(data);
  void work();
};

/** One at a time: whatever runs, runs in this thread. What nobody waits for is done in between. */
async function work(): Promise<void> {
  if (isAtWork) return;
  isAtWork = true;
  // What a page asks in one breath is here by then.
  do {
    await new Promise((rest) => setTimeout(rest));
    while (waiting.length > 0) {
      const urgent = waiting.findIndex(({ question }) => !LATER.test(question.path));
      const [next] = waiting.splice(Math.max(0, urgent), 1);
      await answerOne(next!);
    }
  } while ((await folders?.step()) || waiting.length > 0);
  isAtWork = false;
}

async function answerOne({ id, question }: Asked): Promise<void> {
  try {
    const value = await (await answer!)(question, running.get(id)?.signal);
    self.postMessage({ id, value });
  } catch (error) {
    const problem = problemOf(error);
    if (problem.code === "INTERNAL") console.error(error);
    self.postMessage({ id, problem });
  } finally {
    running.delete(id);
  }
}

async function start({ facts, base, isKept, index }: TabStart): Promise<Answer> {
  const at = (path: string) => new URL(path, base).href;
  const read = async (address: string) => webBytes().read(at(address));
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "fatal";
  // Under its own address, so that the browser knows what it compiled of it before.
  if (isKept) ort.env.wasm.wasmPaths = { wasm: at("runtime.wasm") };
  // Begun before it is asked for.
  const runtime = isKept
    ? ort
    : fetchRuntime(at("runtime.wasm.gz")).then((wasm) => {
        ort.env.wasm.wasmBinary = wasm;
        return ort;
      });
  const models = sharedCache<ClipModel>(MOST_MODELS);
  const openModel = (name: string) =>
    models.get(name, async () => {
      const hashes = facts.models[name] ?? {};
      const files = webBytes({ names: Object.keys(hashes), hashes });
      return openWebModel(at(`models/${name}`), { runtime, files, name });
    });
  folders = createKeptFolders({
    openModel,
    store: once(() => privateStore(FOLDERS)),
    room,
    lock,
    tell: (job) => self.postMessage({ job }),
    others: [...new Set(Object.keys(facts.pictures).map((image) => image.replace(/:.*/, "")))],
    defaultCorpus: (facts.answers["/api/app"] as App).defaultCorpus,
    now: () => performance.now(),
  });
  return createAnswers({
    facts,
    openModel,
    readFile: read,
    openIndex: (model, address) => openWebIndex(model, at(address)),
    collections: createCollections(folders, index === null ? [] : [indexAt(index, webBytes())]),
  });
}

/** Bytes that the browser still lets this page keep. */
async function room(): Promise<number> {
  const { quota = 0, usage = 0 } = await navigator.storage.estimate();
  return quota - usage;
}

/** One tab writes at a time: a lock that is free is taken. */
function lock(): Promise<(() => void) | undefined> {
  return new Promise((resolve) => {
    void navigator.locks.request(FOLDERS, { ifAvailable: true }, (got) => {
      if (!got) return resolve(undefined);
      return new Promise<void>((release) => resolve(release));
    });
  });
}

/** Packed by us, since not every server packs what it sends. */
async function fetchRuntime(address: string): Promise<ArrayBuffer> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return unpacked(await response.arrayBuffer());
}
