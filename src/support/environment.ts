import { availableParallelism, homedir, userInfo } from "node:os";
import { join } from "node:path";

/** Environment variables: `process.env`, or a plain object in tests. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The user's home folder; the root for a user that the system does not know, as in containers. */
export function homeFolder(env: Environment): string {
  try {
    // An empty HOME would be the current folder.
    return env.HOME || homedir() || userInfo().homedir;
  } catch {
    return "/";
  }
}

/** How many threads this machine runs at once. */
export const processors = (): number => availableParallelism();

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
