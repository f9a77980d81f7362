import { execFileSync } from "node:child_process";
import { userInfo } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { homeFolder, ownCacheFolder } from "./environment.ts";

describe("the home folder", () => {
  it("is the user's own where HOME is empty, and not the current folder", () => {
    const { HOME } = process.env;
    process.env.HOME = "";
    onTestFinished(() => {
      if (HOME === undefined) delete process.env.HOME;
      else process.env.HOME = HOME;
    });
    expect(homeFolder(process.env)).toBe(userInfo().homedir);
    expect(ownCacheFolder(process.env)).toBe(join(userInfo().homedir, ".cache", "clip-interpret"));
  });

  // Only root may be another user.
  it.runIf(process.getuid?.() === 0)("is the root for a user that the system does not know", () => {
    const module = JSON.stringify(new URL("./environment.ts", import.meta.url).href);
    const program = `import { homeFolder } from ${module}; process.setuid(54321); console.log(homeFolder({}));`;
    const tsx = fileURLToPath(new URL("../../node_modules/tsx/dist/loader.mjs", import.meta.url));
    const args = ["--import", tsx, "--input-type=module", "-e", program];
    expect(String(execFileSync(process.execPath, args, { env: { PATH: process.env.PATH } }))).toBe("/\n");
  });
});
