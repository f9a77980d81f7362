import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { repositoryPath } from "../e2e/cli.ts";

it("git hands out the bytes that were committed where it ends lines as Windows does: hashes and goldens are of bytes", () => {
  const folder = mkdtempSync(join(tmpdir(), "checkout-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [kept, given] = [join(folder, "kept"), join(folder, "given")];
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.org", ...args], { stdio: "pipe" });
  git("init", kept);
  for (const name of [".gitattributes", "LICENSE"]) cpSync(repositoryPath(name), join(kept, name));
  git("-C", kept, "add", ".");
  git("-C", kept, "commit", "--message", "a");
  git("clone", "--config", "core.autocrlf=true", kept, given);
  expect(readFileSync(join(given, "LICENSE"))).toEqual(readFileSync(repositoryPath("LICENSE")));
});
