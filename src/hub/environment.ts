import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { cachesFolder, type Environment, expandHome } from "../support/environment.ts";
import { ClipInterpretError } from "../support/errors.ts";

/** Where the hub is and how to speak to it, from the environment variables that its Python tools read too. */
export interface HubSettings {
  /** The hub's address without a slash at the end: `HF_ENDPOINT`. */
  readonly endpoint: string;
  /** The folder of `models--org--name` folders. */
  readonly cache: string;
  /** Sent to the hub, and to no other host. */
  readonly token?: string;
  /** `HF_HUB_OFFLINE`: the network is not to be touched. */
  readonly offline: boolean;
}

const PUBLIC_HUB = "https://huggingface.co";

/**
 * The cache folder: `HF_HUB_CACHE` (formerly `HUGGINGFACE_HUB_CACHE`), `HF_HOME/hub`,
 * `XDG_CACHE_HOME/huggingface/hub`, or `~/.cache/huggingface/hub`. An empty variable counts as not set.
 */
export function cacheFolder(env: Environment): string {
  const named = env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE;
  return named ? expandHome(named, env) : join(hubHome(env), "hub");
}

/** Reads the settings. @throws `USAGE` when `HF_ENDPOINT` is no web address */
export async function hubSettings(env: Environment): Promise<HubSettings> {
  const token = await readToken(env);
  return {
    endpoint: endpointOf(env),
    cache: cacheFolder(env),
    ...(token && { token }),
    offline: isTrue(env.HF_HUB_OFFLINE) || isTrue(env.TRANSFORMERS_OFFLINE),
  };
}

function endpointOf(env: Environment): string {
  const text = env.HF_ENDPOINT || PUBLIC_HUB;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !["http:", "https:"].includes(url.protocol)) {
    throw new ClipInterpretError("USAGE", `HF_ENDPOINT is not a web address: ${text}`, {
      hint: `Set it to something like ${PUBLIC_HUB}, or unset it.`,
    });
  }
  return text.replace(/\/+$/, "");
}

/** `HF_TOKEN`, else the file that `hf auth login` writes; a token in the environment wins, as in Python. */
async function readToken(env: Environment): Promise<string | undefined> {
  const named = env.HF_TOKEN || env.HUGGING_FACE_HUB_TOKEN;
  if (named) return named.trim();
  const path = env.HF_TOKEN_PATH ? expandHome(env.HF_TOKEN_PATH, env) : join(hubHome(env), "token");
  const text = await readFile(path, "utf8").catch(() => "");
  return text.trim() || undefined;
}

function hubHome(env: Environment): string {
  if (env.HF_HOME) return expandHome(env.HF_HOME, env);
  return join(cachesFolder(env), "huggingface");
}

const isTrue = (value: string | undefined) =>
  ["1", "on", "yes", "true"].includes((value ?? "").toLowerCase());
