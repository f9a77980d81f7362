import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));

/** Starts `serve`, as it was built, on a port that is free; gives its address once it listens. */
export async function startServe(
  options: readonly string[],
  cache: string,
): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const child = spawn(process.execPath, [MAIN, "serve", "--port", "0", ...options], {
    env: { ...process.env, CLIP_INTERPRET_CACHE: cache },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on("data", (data: Buffer) => {
      const [found] = /http:\/\/\S+/.exec(data.toString()) ?? [];
      if (found) resolve(found);
    });
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
  });
  return { child, url };
}
