import { readFileSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { partialPath } from "../../src/hub/download.ts";
import { createPuller, type Puller } from "../../src/hub/pull.ts";
import type { Patience } from "../../src/hub/retry.ts";
import { goldenPath } from "./goldens.ts";
import {
  entry,
  type HubServer,
  type Interfere,
  type ServedRepository,
  sendFile,
  serveHub,
} from "./hub-server.ts";

/** The model that is served: known by a name, with a golden checkpoint's files. */
export const NAME = "ViT-B-32/openai";
export const HUB_ID = "timm/vit_base_patch32_clip_224.openai";
/** Who has the tokenizer that the repository lacks. */
export const TOKENIZER_HOME = "openai/clip-vit-base-patch32";
export const COMMIT = "1234567890".repeat(4);
export const WEIGHTS = "open_clip_model.safetensors";
export const CONFIG = "open_clip_config.json";

const PATIENT: Patience = { attempts: 4, pauseMs: 5, longestPauseMs: 3_000, silenceMs: 1_000 };

/** A golden's bytes. */
export const golden = (path: string): Buffer => readFileSync(goldenPath(path));

// Without `quick_gelu`, which these weights need: only the name says so.
const { quick_gelu: _, ...modelConfig } = JSON.parse(
  golden("quickgelu-p14/open_clip/open_clip_config.json").toString(),
).model_cfg;

/** What the golden repository's files hold. */
export const FILES = {
  [CONFIG]: Buffer.from(JSON.stringify({ model_cfg: modelConfig })),
  [WEIGHTS]: golden("quickgelu-p14/open_clip/open_clip_model.safetensors"),
};
export const TOKENIZER = golden("tokenizer/tokenizer.json");
/** Bytes of the weights. */
export const SIZE: number = FILES[WEIGHTS].length;

/** The golden repository, with what a timm repository has beside what is needed: that must stay there. */
export const SERVED: ServedRepository = {
  commit: COMMIT,
  large: [WEIGHTS, "open_clip_pytorch_model.bin"],
  files: {
    "README.md": TOKENIZER,
    "config.json": Buffer.from("{}"),
    "model.safetensors": TOKENIZER,
    ...FILES,
  },
};
export const SERVED_TOKENIZER: ServedRepository = {
  commit: "a".repeat(40),
  files: { "tokenizer.json": TOKENIZER },
};

/** The name of the weights' blob: their SHA-256. */
export const BLOB: string = entry(SERVED, WEIGHTS).lfs?.oid ?? "";

/** A hub, an empty cache and a puller between them. */
export interface World {
  readonly hub: HubServer;
  readonly home: string;
  readonly env: Record<string, string>;
  readonly puller: Puller;
  /** `models--…`, its `snapshots/<commit>`, and the blob of the weights. */
  readonly repository: string;
  readonly snapshot: string;
  readonly weights: string;
}

/** Makes a world that ends with the running test. */
export async function world(
  served: Record<string, ServedRepository> = { [HUB_ID]: SERVED, [TOKENIZER_HOME]: SERVED_TOKENIZER },
): Promise<World> {
  const home = await mkdtemp(join(tmpdir(), "clip-interpret-hub-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const hub = await serveHub(served);
  const env = { HF_HOME: home, HF_ENDPOINT: hub.endpoint };
  const repository = join(home, "hub", `models--${HUB_ID.replace("/", "--")}`);
  return {
    hub,
    home,
    env,
    puller: createPuller(env, PATIENT),
    repository,
    snapshot: join(repository, "snapshots", COMMIT),
    weights: join(repository, "blobs", BLOB),
  };
}

/** Answers requests for the weights' content in its own way, the first `times`; others pass. */
export function forWeights(answer: Interfere, times = Infinity): Interfere {
  let left = times;
  return (seen, response) => {
    if (seen.host !== "files" || !seen.path.includes(`/${WEIGHTS}`) || left <= 0) return false;
    left--;
    return answer(seen, response);
  };
}

/** Sends the weights up to a byte, and drops the connection when they have arrived. */
export const dropAt = ({ weights }: World, stopAt: number, times = 1): Interfere =>
  forWeights(async (seen, response) => {
    sendFile(seen, response, FILES[WEIGHTS], undefined, stopAt);
    await until(() => sizeNow(partialPath(weights)) >= stopAt);
    response.socket?.destroy();
    return true;
  }, times);

/** Bytes of a file that may not be there yet. */
export const sizeNow = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** The shape of a coded error. */
export const failure = (code: string, message = /./) => ({ code, message: expect.stringMatching(message) });

/** Resolves when the condition holds. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
