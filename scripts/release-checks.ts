import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

/** Where a release says its version, and how. */
const SAYS: readonly [file: string, version: RegExp][] = [
  ["package.json", /^ {2}"version": "(.+)",$/m],
  ["package-lock.json", /^ {2}"version": "(.+)",$/m],
  ["src/support/version.ts", /^export const VERSION: string = "(.+)";$/m],
  ["CITATION.cff", /^version: (.+)$/m],
  ["README.md", /^ {2}note {3}= \{Version (.+)\}$/m],
  ["python/pyproject.toml", /^version = "(.+)"$/m],
  ["python/clip_interpret/__init__.py", /^__version__ = "(.+)"$/m],
];
/** Pages that say how to install, and what none may say any more. */
const INSTALLS = ["README.md", "docs/start.md", "docs/api.md", "site/home.md"];
const NOT_YET = "Before the first release";
const SEMVER = /^\d+\.\d+\.\d+(-[0-9a-z.]+)?$/;

/** The part of a changelog below `## X.Y.Z` (a date may follow), or undefined. */
export const changesOf = (changelog: string, version: string): string | undefined =>
  changelog
    .split(/^## /m)
    .slice(1)
    .find((part) => part.split(/\s/, 1)[0] === version)
    ?.replace(/^.*\n/, "")
    .trim();

/**
 * What stands against releasing a version from a clone as it is, each with what to do; nothing is changed.
 *
 * @param root a clone
 * @param version such as `1.2.3`
 */
export async function whatIsAgainst(root: string, version: string): Promise<string[]> {
  const git = async (...args: string[]) =>
    (await promisify(execFile)("git", ["-C", root, ...args])).stdout.trim();
  const text = (file: string) => readFile(join(root, file), "utf8").catch(() => "");
  if (!SEMVER.test(version)) return [`${version} is no version: say npm run release -- 1.2.3`];
  const against: string[] = [];
  for (const [file, pattern] of SAYS) {
    const said = pattern.exec(await text(file))?.[1];
    if (said !== version) against.push(`${file} says ${said ?? "no version"}: write ${version} there`);
  }
  for (const file of INSTALLS)
    if ((await text(file)).includes(NOT_YET))
      against.push(`${file} says how to install "${NOT_YET}": take that sentence out`);
  const changes = changesOf(await text("CHANGELOG.md"), version);
  if (changes === undefined)
    against.push(`CHANGELOG.md has no section ${version}: name the part "Unreleased" so, with the date`);
  else if (changes === "")
    against.push(`CHANGELOG.md says nothing of ${version}: write what changes for users`);
  const changed = await git("status", "--porcelain");
  if (changed !== "") against.push(`the tree has changes: commit or remove them\n${changed}`);
  if ((await git("tag", "--list", `v${version}`)) !== "")
    against.push(`the tag v${version} is there: a version is released once`);
  if ((await git("branch", "--show-current")) !== "main")
    against.push("this is not the branch main: git switch main");
  return against;
}
