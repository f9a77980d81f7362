/** The thread of a page without a server that answers it: models run here, so that the page never waits for them. */
import "./no-eval.ts";
import * as ort from "onnxruntime-web/wasm";
import { openWebIndex, openWebModel, webBytes } from "../../../src/public/browser.ts";
import { problemOf } from "../../../src/server/problems.ts";
import { ClipInterpretError } from "../../../src/support/errors.ts";
import type { PrivateFolder } from "../../../src/support/private-files.ts";
import { once } from "../../../src/support/shared.ts";
import { pastCache } from "../../../src/support/web-parts.ts";
import { type Answer, createAnswers } from "../../../src/tab/answers.ts";
import { createCollections } from "../../../src/tab/collections.ts";
import { knownPictures, type PageFacts, type Question } from "../../../src/tab/facts.ts";
import { createTabGpu } from "../../../src/tab/gpu.ts";
import { indexAt } from "../../../src/tab/index-at.ts";
import { createKeptFolders, type KeptFolders } from "../../../src/tab/kept-folders.ts";
import { createTabModels, type Fetching, requireAllowed, type TabModels } from "../../../src/tab/models.ts";
import { createOpenModels, type OpenModels } from "../../../src/tab/open-models.ts";
import type { App, Job } from "../state/api.ts";
import { answerPage } from "./page-port.ts";
import { FOLDERS, privateStore } from "./private-store.ts";
import { unpacked } from "./unpack.ts";

/** What the page says first. */
export interface TabStart {
  readonly facts: PageFacts & {
    readonly models: Readonly<Record<string, ModelFiles>>;
    /** Where models with a hub's id are, and what else may be asked: what the content security policy names. */
    readonly hub: string;
    readonly hosts: readonly string[];
  };
  /** Where the page lies. */
  readonly base: string;
  /** Whether the service worker answers, which has the runtime unpacked. */
  readonly isKept: boolean;
  /** The address of an index that is searched beside those that came with the page. */
  readonly index: string | null;
  /** Whether models are computed on the GPU. */
  readonly onGpu: boolean;
}
/** A model's files with their SHA-256. */
export type ModelFiles = Readonly<Record<string, string>>;

/** What is answered at once, whatever is being worked on. */
export type TabControl =
  | { readonly allow: string }
  | { readonly kept: true }
  /** Has nothing go on that is in the way of deleting a model. */
  | { readonly letGo: string }
  | { readonly stopFetching: true };

/** What the thread says by itself: how far it is with what it fetches of a model, and with work that nobody waits for. */
export type TabNews =
  | { readonly fetching: Fetching }
  | { readonly job: Job }
  /** Why the GPU is not used for a model, or for none. */
  | { readonly gpu: ReturnType<typeof problemOf>; readonly model: string | null };

/** What the page waits for least: it is answered when nothing else is to be. */
const LATER = /^\/api\/(neighbors|means|words|without|atlas)/;
/** In milliseconds: how soon a page asks its next question when it drops one. */
const PATIENCE = 300;
/** Threads that a model runs in; more wait for each other on what is multiplied here. */
const MOST_THREADS = 4;

/** A question, and what answers it. */
interface Asked {
  readonly question: Question;
  readonly reply: () => Promise<void>;
  /** Aborted where nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

const waiting: Asked[] = [];
let answer: Promise<Answer> | undefined;
let folders: KeptFolders | undefined;
let models: TabModels | undefined;
/** Those of them, and those that came with the page, that are open. */
let inMemory: OpenModels | undefined;
/** What is being answered. */
let current: Asked | undefined;
let isAtWork = false;

const handlers = {
  async start(start: TabStart) {
    answer = startAnswering(start);
    await answer;
  },
  control,
  ask: async (question: Question, { signal }: { readonly signal: AbortSignal }) =>
    (await answer!)(question, signal),
};
/** What the page asks: first that it starts, then what it likes. */
export type TabCalls = typeof handlers;

// ONNX Runtime's threads are started with this file too, and have a message handler of their own.
if (!self.name.startsWith("em-pthread"))
  answerPage(handlers, (reply, name, input, signal) => {
    if (name !== "ask") return void reply();
    signal.addEventListener("abort", () => setTimeout(stopUnwanted, PATIENCE));
    waiting.push({ question: input as Question, reply, signal });
    void work();
  });

/** Stops what is fetched for a question that nobody waits for, unless another that somebody waits for is about the same model. */
function stopUnwanted(): void {
  const model = current?.signal.aborted && modelOf(current.question);
  if (!model) return;
  if (!waiting.some(({ question, signal }) => !signal.aborted && modelOf(question) === model)) models?.stop();
}

/** Which model a question is about, if any. */
function modelOf({ path, body }: Question): string | undefined {
  const query = new URLSearchParams(path.split("?")[1]);
  return query.get("model") ?? query.get("name") ?? (body as { model?: string } | undefined)?.model;
}

const say = (news: TabNews) => self.postMessage({ news });

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
      current = next!;
      await next!.reply();
    }
    current = undefined;
  } while ((await folders?.step()) || waiting.length > 0);
  isAtWork = false;
}

async function control(asked: TabControl): Promise<unknown> {
  await answer;
  if ("allow" in asked) return models!.allow(asked.allow);
  if ("letGo" in asked) inMemory!.requireIdle(asked.letGo);
  if ("letGo" in asked || "stopFetching" in asked) return models!.stop();
  return models!.kept();
}

async function startAnswering({ facts, base, isKept, index, onGpu }: TabStart): Promise<Answer> {
  const at = (path: string) => new URL(path, base).href;
  const read = async (address: string) => webBytes().read(at(address));
  // Threads share memory, which browsers allow pages whose server isolates them from others.
  ort.env.wasm.numThreads = self.crossOriginIsolated
    ? Math.min(navigator.hardwareConcurrency || 1, MOST_THREADS)
    : 1;
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
  const { hub, hosts } = facts;
  const fetched = createTabModels(
    { hub, hosts, base },
    {
      async privateFolder() {
        if (!("createWritable" in FileSystemFileHandle.prototype)) return undefined;
        return (await navigator.storage.getDirectory()) as unknown as PrivateFolder;
      },
      estimate: () => navigator.storage.estimate(),
      onFetching: (fetching) => say({ fetching }),
    },
  );
  models = fetched;
  const gpu = createTabGpu({
    runtime: once(async () => {
      const webgpu = await import("onnxruntime-web/webgpu");
      webgpu.env.wasm.numThreads = 1;
      webgpu.env.logLevel = "fatal";
      webgpu.env.wasm.wasmBinary = await fetchRuntime(at("runtime-webgpu.wasm.gz"));
      return webgpu;
    }),
    pictures: () => knownPictures(facts, read),
    tell: (error, model) => say({ gpu: problemOf(error), model }),
  });
  gpu.use(onGpu);
  /** What is asked and what is indexed use the same. */
  const open = createOpenModels({
    deviceOf: gpu.deviceOf,
    isLarge: (name) => facts.models[name] === undefined,
    workOf: (name) => folders?.workOf(name),
    async load(name) {
      const hashes = facts.models[name];
      if (hashes) {
        // The service worker keeps them.
        const files = webBytes({ names: Object.keys(hashes), hashes, fetch: pastCache() });
        const address = at(`models/${name}`);
        return gpu.open(name, (on) =>
          openWebModel(address, { runtime, files, name, ...(on && { gpu: on }) }),
        );
      }
      const { folder, files } = await fetched.open(name);
      const how = { runtime, files, name, sharedTokenizer: at("tokenizer/clip-merges.txt.gz") };
      return gpu.open(name, (on) => openWebModel(folder, { ...how, ...(on && { gpu: on }) }));
    },
  });
  inMemory = open;
  folders = createKeptFolders({
    openModel: open.open,
    deviceOf: gpu.deviceOf,
    store: once(() => privateStore(FOLDERS)),
    room,
    lock,
    tell: (job) => say({ job }),
    others: [...new Set(Object.keys(facts.pictures).map((image) => image.replace(/:.*/, "")))],
    defaultCorpus: (facts.answers["/api/app"] as App).defaultCorpus,
    now: () => performance.now(),
  });
  const fetchAllowed: typeof fetch = async (input, init) => {
    requireAllowed({ hosts, base }, String(input));
    return fetch(input, init);
  };
  const others = index === null ? [] : [indexAt(index, webBytes({ fetch: fetchAllowed }))];
  return createAnswers({
    facts,
    models: {
      ...open,
      async close(name) {
        open.requireIdle(name);
        await whileUnused(name, async () => {
          await open.close(name);
          await fetched.forget(name);
        });
      },
    },
    readFile: read,
    async runtime(device) {
      await runtime;
      const { versions, wasm } = ort.env;
      return {
        runtime: `ONNX Runtime ${versions.web ?? versions.common}${device === "cpu" ? "" : ", the image tower on WebGPU and the rest"} as WebAssembly`,
        threads: wasm.numThreads ?? 1,
      };
    },
    openIndex: (model, address) => openWebIndex(model, at(address)),
    collections: createCollections(folders, others),
    gpu,
  });
}

/** Bytes that the browser still lets this page keep. */
async function room(): Promise<number> {
  const { quota = 0, usage = 0 } = await navigator.storage.estimate();
  return quota - usage;
}

/** Held by the tab that looks at pictures with a model. */
const lockOf = (model: string) => `${FOLDERS} with ${model}`;

/** One tab writes at a time: a lock that is free is taken, and with it the model's, which no tab deletes then. */
function lock(model: string): Promise<(() => void) | undefined> {
  return new Promise((resolve) => {
    void navigator.locks.request(FOLDERS, { ifAvailable: true }, (got) => {
      if (!got) return resolve(undefined);
      const held = () => new Promise<void>((release) => resolve(release));
      return navigator.locks.request(lockOf(model), { mode: "shared" }, held);
    });
  });
}

/** Does what is not to happen while a tab looks at pictures with a model. @throws `MODEL_BUSY` */
async function whileUnused(model: string, work: () => Promise<void>): Promise<void> {
  // Where a browser gives no locks it keeps no files either, so that no other tab has this one's.
  if (!("locks" in navigator)) return work();
  await navigator.locks.request(lockOf(model), { ifAvailable: true }, (got) => {
    if (got) return work();
    throw new ClipInterpretError(
      "MODEL_BUSY",
      `another tab looks at pictures with ${model}: it cannot be deleted now`,
      { hint: "Wait until that tab is done, or stop it there: what was seen is kept." },
    );
  });
}

/** Packed by us, since not every server packs what it sends. */
async function fetchRuntime(address: string): Promise<ArrayBuffer> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return unpacked(await response.arrayBuffer());
}
