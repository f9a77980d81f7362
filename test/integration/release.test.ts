/** `npm run release` refuses whatever is not ready, and says what to do; in a throwaway repository. */
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { changesOf, whatIsAgainst } from "../../scripts/release-checks.ts";
import { VERSION } from "../../src/support/version.ts";

/** What says a version, as it is in this repository. */
const FILES = [
  ...["package.json", "package-lock.json", "src/support/version.ts", "CITATION.cff", "README.md"],
  ...["python/pyproject.toml", "python/clip_interpret/__init__.py"],
];
const NEXT = "7.8.9";

let root: string;
const git = (...args: string[]) =>
  execFileSync("git", ["-C", root, "-c", "user.name=a", "-c", "user.email=a@example.org", ...args]);
const write = (file: string, text: string) => writeFile(join(root, file), text);

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "release-"));
  for (const file of FILES) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    // The first, since packages of a lock file have versions of their own.
    const text = (await readFile(file, "utf8")).replace(/^Before the first release .*\n.*\n\n/m, "");
    await write(file, text.replace(VERSION, NEXT));
  }
  await write("CHANGELOG.md", `# Changelog\n\n## Unreleased\n\n## ${NEXT} (2030-01-31)\n\n- It flies.\n`);
  git("init", "--quiet", "--initial-branch", "main");
  git("add", ".");
  git("commit", "--quiet", "--message", "all");
});
afterEach(() => rm(root, { recursive: true, force: true }));

it("has nothing against what is ready", async () => {
  expect(await whatIsAgainst(root, NEXT)).toEqual([]);
});

it("wants a version that every file says", async () => {
  expect(await whatIsAgainst(root, "next")).toEqual([expect.stringMatching(/^next is no version/)]);
  const other = await whatIsAgainst(root, "7.9.0");
  for (const file of FILES) expect(other).toContain(`${file} says ${NEXT}: write 7.9.0 there`);
  expect(other).toContainEqual(expect.stringMatching(/^CHANGELOG\.md has no section 7\.9\.0/));
});

it("wants no page that still says how to install before the first release", async () => {
  for (const file of ["README.md", "docs/start.md", "docs/api.md", "site/home.md"]) {
    const text = await readFile(file, "utf8");
    await mkdir(dirname(join(root, file)), { recursive: true });
    await write(file, `${text.replaceAll(VERSION, NEXT)}\nBefore the first release there is none.\n`);
    git("add", ".");
    git("commit", "--quiet", "--message", file);
    const against = await whatIsAgainst(root, NEXT);
    expect(against).toContainEqual(
      expect.stringMatching(`^${file} says how to install.*take that sentence out$`),
    );
  }
});

it("wants a section of the changelog that says something", async () => {
  await write("CHANGELOG.md", `## ${NEXT}\n\n## 7.8.8\n\n- It swims.\n`);
  git("commit", "--quiet", "--all", "--message", "nothing");
  expect(await whatIsAgainst(root, NEXT)).toEqual([expect.stringMatching(/says nothing of 7\.8\.9/)]);
  expect(changesOf("## 7.8.90\n\n- no\n\n## 7.8.9\n\n- yes\n", NEXT)).toBe("- yes");
});

it("wants a clean tree, on main, without the tag", async () => {
  await write("left.txt", "");
  expect(await whatIsAgainst(root, NEXT)).toEqual([expect.stringMatching(/tree has changes.*\n.*left\.txt/)]);
  await rm(join(root, "left.txt"));
  git("switch", "--quiet", "--create", "other");
  expect(await whatIsAgainst(root, NEXT)).toEqual([expect.stringMatching(/not the branch main/)]);
  git("switch", "--quiet", "main");
  git("tag", "--annotate", `v${NEXT}`, "--message", "it");
  expect(await whatIsAgainst(root, NEXT)).toEqual([expect.stringMatching(/tag v7\.8\.9 is there/)]);
});
