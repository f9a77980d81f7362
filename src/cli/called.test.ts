import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { asCalled, calledAs } from "./called.ts";
import { shellWord } from "./strings.ts";

describe("how the program was called", () => {
  it.each([
    ["/usr/local/bin/clip-interpret", {}, "clip-interpret"],
    ["/home/me/project/node_modules/.bin/clip-interpret", {}, "clip-interpret"],
    ["/home/me/project/node_modules/.bin/clip-interpret", { npm_command: "exec" }, "npx clip-interpret"],
    ["C:\\project\\node_modules\\clip-interpret\\dist\\cli\\main.js", {}, "clip-interpret"],
    ["/home/me/clone/dist/cli/main.js", { npm_command: "run-script" }, `node ${join("dist/cli/main.js")}`],
    ["/home/me/clone/src/cli/main.ts", {}, `npx tsx ${join("src/cli/main.ts")}`],
    ["/opt/my clone/dist/cli/main.js", {}, `node ${shellWord("/opt/my clone/dist/cli/main.js")}`],
    [undefined, {}, "clip-interpret"],
  ])("%s", (script, environment, called) => {
    expect(calledAs(script, environment, "/home/me/clone")).toBe(called);
  });

  it("is put into what is suggested, and not into what only names the program", () => {
    const hint = "`clip-interpret models` lists them; clip-interpret has five.";
    expect(asCalled(hint, "npx clip-interpret")).toBe(
      "`npx clip-interpret models` lists them; clip-interpret has five.",
    );
  });
});
