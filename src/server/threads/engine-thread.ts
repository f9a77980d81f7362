/** The thread that the encoders run in: ONNX Runtime blocks whichever thread calls it, so nothing else lives here. */
import { type MessagePort, workerData } from "node:worker_threads";
import type { ClipModel, ModelOptions } from "../../model/clip-model.ts";
import type { DecomposeOptions } from "../../model/decompose.ts";
import type { DecomposeTokensOptions } from "../../model/decompose-tokens.ts";
import { loadClipModel } from "../../model/load-model.ts";
import type { LocatedModel } from "../../model/registry.ts";
import { answerCalls, handOver } from "../../support/answer-calls.ts";
import { closeThread, nodePort, starterPort } from "../../support/node-port.ts";
import { sharedCache } from "../../support/shared.ts";

/** What the thread is started with. */
export interface EngineSetup {
  readonly options: ModelOptions;
  /** Bytes of weights that models may hold. */
  readonly modelBytes: number;
}

/** Everything of a model that needs no encoder, as threads can exchange it; arrays of its geometry are shared memory. */
export type ModelFacts = Pick<
  ClipModel,
  "name" | "config" | "checkpoint" | "logitScale" | "logitBias" | "geometry" | "precision" | "device"
> & {
  readonly threads: number;
};

/** A model as calls name it. Each call may be the first that this thread hears of it: the one before may have ended. */
export interface ModelCall {
  readonly located: LocatedModel;
  readonly otherwise: ModelOptions;
}

interface Loaded {
  readonly key: string;
  readonly model: ClipModel;
  readonly facts: ModelFacts;
  /** Calls under way. */
  uses: number;
}

const { options: ours, modelBytes } = workerData as EngineSetup;

/** Models that were loaded; their graphs come and go, what else there is of them stays. */
const loads = sharedCache<Loaded>(Number.MAX_SAFE_INTEGER);
/** The least recently used first. */
const loaded = new Map<string, Loaded>();

function load({ located: { name, folder }, otherwise }: ModelCall): Promise<Loaded> {
  const { precision = "fp32", device = "cpu", threads = 0, ...rest } = { ...otherwise, ...ours };
  const key = JSON.stringify([folder, precision, device, rest.activation]);
  return loads.get(key, async () => {
    const model = await loadClipModel(folder, name, { precision, device, threads, ...rest });
    const { config, checkpoint, logitScale, logitBias, geometry } = model;
    const shared = shareArrays(geometry);
    const one: Loaded = {
      ...{ key, model },
      facts: {
        ...{ threads, name: model.name, config, checkpoint, logitScale, precision, device },
        ...(logitBias !== undefined && { logitBias }),
        geometry: shared,
      },
      uses: 0,
    };
    loaded.set(key, one);
    return one;
  });
}

/** Uses a model. Others are unloaded until all fit, the least recently used first; never one in use. */
async function using<T>(of: ModelCall, use: (model: ClipModel) => Promise<T>): Promise<T> {
  const one = await load(of);
  const { key } = one;
  loaded.delete(key);
  loaded.set(key, one);
  one.uses++;
  try {
    return await use(one.model);
  } finally {
    one.uses--;
    let bytes = [...loaded.values()].reduce((sum, { model }) => sum + model.loadedBytes(), 0);
    for (const [other, { model, uses }] of loaded) {
      if (bytes <= modelBytes) break;
      if (uses > 0 || other === key) continue;
      bytes -= model.loadedBytes();
      await model.release();
    }
  }
}

/** The same numbers in memory that all threads see. */
function shareArrays<T extends object>(value: T): T {
  const shared = Object.entries(value).map(([name, one]) => {
    if (one instanceof Float32Array) {
      const copy = new Float32Array(new SharedArrayBuffer(one.byteLength));
      copy.set(one);
      return [name, copy];
    }
    return [name, typeof one === "object" && one !== null ? shareArrays(one) : one];
  });
  return Object.fromEntries(shared) as T;
}

/*
 * One run at a time. What pages wait for goes before what jobs ask, which comes in pieces of an image or two. Between two
 * runs the thread hears what was sent meanwhile.
 */
const lanes: Record<Lane, (() => Promise<void>)[]> = { pages: [], jobs: [] };
let running = false;
const heard = () => new Promise(setImmediate);
const inLane = (lane: Lane) => (work: () => Promise<void>, name: string) => {
  // A large file is hashed in another thread.
  if (name === "weightsHash") return void work();
  lanes[lane].push(work);
  if (!running) void runAll();
};

async function runAll(): Promise<void> {
  running = true;
  for (;;) {
    await heard();
    const next = lanes.pages.shift() ?? lanes.jobs.shift();
    if (!next) break;
    await next();
  }
  running = false;
}

/** Who asks. */
export type Lane = "pages" | "jobs";

const handlers = {
  load: async (of: ModelCall) => (await load(of)).facts,
  weightsHash: (of: ModelCall) => using(of, (model) => model.weightsHash()),
  encodeTokens: ({ texts, ...of }: ModelCall & { texts: readonly (readonly number[])[] }) =>
    using(of, async (model) => handOver(await model.encodeTokens(texts))),
  decompose: ({ pixels, how, ...of }: ModelCall & { pixels: Float32Array; how: DecomposeOptions }) =>
    using(of, async (model) => handOver(await model.decompose(pixels, how))),
  readTokens: ({ pixels, ...of }: ModelCall & { pixels: Float32Array }) =>
    using(of, async (model) => handOver(await model.readTokens(pixels))),
  textGeometry: (of: ModelCall) => using(of, async (model) => shareArrays(await model.textGeometry())),
  decomposeTokens: ({
    texts,
    how,
    ...of
  }: ModelCall & { texts: readonly (readonly number[])[]; how: DecomposeTokensOptions }) =>
    using(of, async (model) => handOver(await model.decomposeTokens(texts, how))),
  /** Bytes of weights that are in memory, by model. */
  loadedBytes: async (_: object) =>
    Object.fromEntries([...loaded].map(([key, { model }]) => [key, model.loadedBytes()])),
  /** Answers another thread too. */
  connect: async ({ port, lane }: { port: MessagePort; lane: Lane }) =>
    answerCalls(nodePort(port), handlers, { inTurn: inLane(lane) }),
  close: closeThread,
};
/** What the thread answers. */
export type EngineCalls = typeof handlers;

answerCalls(starterPort(), handlers, { inTurn: inLane("pages") });
