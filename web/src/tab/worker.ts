/** The thread of a page without a server that answers it: models run here, so that the page never waits for them. */
import * as ort from "onnxruntime-web/wasm";
import { openWebIndex, openWebModel, webBytes } from "../../../src/public/browser.ts";
import { problemOf } from "../../../src/server/problems.ts";
import { type Answer, createAnswers } from "../../../src/tab/answers.ts";
import type { PageFacts, Question } from "../../../src/tab/facts.ts";
import { unpacked } from "./unpack.ts";

/** What the page says first. */
export interface TabStart {
  readonly facts: PageFacts & { readonly models: Readonly<Record<string, ModelFiles>> };
  /** Where the page lies. */
  readonly base: string;
  /** Whether the service worker answers, which has the runtime unpacked. */
  readonly isKept: boolean;
}
/** A model's files with their SHA-256. */
export type ModelFiles = Readonly<Record<string, string>>;

/** What the page says next, as often as it likes. */
export type TabRequest =
  | { readonly id: number; readonly question: Question }
  | { readonly id: number; readonly stop: true };

/** What the page waits for least: it is answered when nothing else is to be. */
const LATER = /^\/api\/(neighbors|means|words|without)/;

type Asked = Extract<TabRequest, { readonly question: Question }>;

const running = new Map<number, AbortController>();
const waiting: Asked[] = [];
let answer: Promise<Answer> | undefined;
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

/** One at a time: whatever runs, runs in this thread. */
async function work(): Promise<void> {
  if (isAtWork) return;
  isAtWork = true;
  // What a page asks in one breath is here by then.
  await new Promise((rest) => setTimeout(rest));
  while (waiting.length > 0) {
    const urgent = waiting.findIndex(({ question }) => !LATER.test(question.path));
    const [next] = waiting.splice(Math.max(0, urgent), 1);
    await answerOne(next!);
  }
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

async function start({ facts, base, isKept }: TabStart): Promise<Answer> {
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
  return createAnswers({
    facts,
    readFile: read,
    openIndex: (model, address) => openWebIndex(model, at(address)),
    async openModel(name) {
      const hashes = facts.models[name] ?? {};
      const files = webBytes({ names: Object.keys(hashes), hashes });
      return openWebModel(at(`models/${name}`), { runtime, files, name });
    },
  });
}

/** Packed by us, since not every server packs what it sends. */
async function fetchRuntime(address: string): Promise<ArrayBuffer> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return unpacked(await response.arrayBuffer());
}
