import { execFile } from "node:child_process";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { packForHere } from "../support/packed.ts";
import { bareEnvironment, repositoryPath, testFolder } from "./cli.ts";

const run = promisify(execFile);

it("installs from its tarball into an empty folder, as npm does by default, and explains a picture", async () => {
  const folder = await testFolder();
  const tarball = await packForHere(folder);
  const project = join(folder, "project");
  const home = join(folder, "home");
  await Promise.all([mkdir(project), mkdir(home)]);
  // Nothing of this project's settings; the registry's own: where it is, what signs it, what was fetched before.
  const { stdout: settings } = await run("npm", ["config", "get", "registry", "cache"], { cwd: folder });
  const [, registry, cache] = /registry ?= ?(\S+)[\s\S]*cache ?= ?(\S+)/.exec(settings) ?? [];
  const bare = bareEnvironment(home);
  const env = {
    ...Object.fromEntries(Object.entries(bare).filter(([, value]) => value !== undefined)),
    NODE_EXTRA_CA_CERTS: process.env.NODE_EXTRA_CA_CERTS,
    npm_config_registry: registry,
    npm_config_cache: cache,
    npm_config_prefer_offline: "true",
    npm_config_audit: "false",
  };
  const installed = await run("npm", ["install", tarball], { cwd: project, env });
  expect(installed.stdout).toMatch(/added \d+ packages/);
  expect(installed.stderr).not.toMatch(/warn|error/i);
  // ONNX Runtime is the one that came along.
  expect(await readdir(join(project, "node_modules"))).not.toContain("onnxruntime-node");
  const picture = repositoryPath("examples/photos/cat.jpg");
  const bin = join(project, "node_modules/.bin/clip-interpret");
  const { stdout } = await run(bin, ["explain", picture, "--text", "a cat", "--json"], { cwd: project, env });
  const { origin, texts } = JSON.parse(stdout);
  expect(origin.program).toBe("clip-interpret");
  expect(texts).toHaveLength(1);
});
