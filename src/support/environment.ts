import { homedir } from "node:os";
import { join } from "node:path";

/** Environment variables: `process.env`, or a plain object in tests. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The user's home folder. */
export const homeFolder = (env: Environment): string => env.HOME || homedir();

/** A path with a leading `~` replaced by the home folder. */
export const expandHome = (path: string, env: Environment): string =>
  /^~($|[/\\])/.test(path) ? join(homeFolder(env), path.slice(1)) : path;

/** Where programs keep what can be made again: `XDG_CACHE_HOME`, or `~/.cache`. */
export const cachesFolder = (env: Environment): string =>
  env.XDG_CACHE_HOME ? expandHome(env.XDG_CACHE_HOME, env) : join(homeFolder(env), ".cache");

/** This program's own cache: `CLIP_INTERPRET_CACHE`, or `clip-interpret` among the user's caches. */
export const ownCacheFolder = (env: Environment): string =>
  env.CLIP_INTERPRET_CACHE
    ? expandHome(env.CLIP_INTERPRET_CACHE, env)
    : join(cachesFolder(env), "clip-interpret");
