import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { repositoryPath, sharedFolder } from "../e2e/cli.ts";

/*
 * deploy/Dockerfile without Docker: its steps, in folders. Paths of the image lie below a folder, and what is copied is what
 * git knows, without what .dockerignore leaves out.
 */

const path = sharedFolder();
const lines = readFileSync(repositoryPath("deploy/Dockerfile"), "utf8").split("\n");
const second = lines.findLastIndex((line) => line.startsWith("FROM"));

it("the Dockerfile's steps make a program that runs without what only development needs", {
  timeout: 1_800_000,
}, () => {
  const ignored = readFileSync(repositoryPath(".dockerignore"), "utf8").split("\n").filter(Boolean);
  const known = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], {
    cwd: repositoryPath(""),
    encoding: "utf8",
  })
    .split("\n")
    .filter((file) => file !== "" && !ignored.some((name) => file === name || file.startsWith(`${name}/`)));
  const build = path("build/app");
  mkdirSync(build, { recursive: true });
  const copy = (file: string, to: string) => {
    mkdirSync(dirname(join(to, file)), { recursive: true });
    cpSync(repositoryPath(file), join(to, file));
  };
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" };
  for (const line of lines.slice(0, second)) {
    const [, word, rest] = /^(COPY|RUN) (.+)$/.exec(line) ?? [];
    if (word === "RUN") execFileSync("sh", ["-c", rest], { cwd: build, env, stdio: "ignore" });
    if (word !== "COPY") continue;
    const files = rest.split(" ").slice(0, -1);
    for (const file of files[0] === "." ? known : files) copy(file, build);
  }
  const image = path("image/app");
  mkdirSync(image, { recursive: true });
  for (const line of lines.slice(second)) {
    const [, from] = /^COPY --from=build \/app\/(\S+) /.exec(line) ?? [];
    if (from) cpSync(join(build, from), join(image, from), { recursive: true });
    const [, wrapper] = /^RUN (printf .+)$/.exec(line) ?? [];
    if (!wrapper) continue;
    mkdirSync(path("image/bin"));
    const here = wrapper.replaceAll("/app/", `${image}/`).replaceAll("/usr/local/bin", path("image/bin"));
    execFileSync("sh", ["-c", here]);
  }
  const run = (...args: string[]) =>
    execFileSync(path("image/bin/clip-interpret"), args, {
      cwd: path(""),
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
  expect(run("--version")).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(run("index", join(image, "examples/scenes"), "--out", "scenes.index")).toContain("24 images");
  expect(run("worker", "--help")).toContain("--queue");
});
