import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { appSchema } from "../../src/results/app.ts";
import { expectError, repositoryPath, runCli, startCli, testFolder } from "./cli.ts";

/** Starts `serve` on a free port; its address as it was printed. */
const serving = (args: readonly string[], env: Record<string, string>) =>
  opened(["serve", "--port", "0", ...args], env);

async function opened(args: readonly string[], env: Record<string, string>) {
  const { child, result } = startCli(args, { env, timeout: 60_000 });
  const address = await new Promise<string>((resolve, reject) => {
    let text = "";
    child.stdout!.on("data", (data) => {
      text += data;
      const [url] = /http:\/\/\S+/.exec(text) ?? [];
      if (url) resolve(url);
    });
    result.then(({ stderr }) => reject(new Error(stderr)), reject);
  });
  return { child, result, address };
}

describe("serve", () => {
  it("prints where it is open, serves the app and the API, and ends in order at Ctrl-C", async () => {
    const cache = await testFolder();
    const embed = ["--embed", "https://blog.example.org"];
    const { child, result, address } = await serving(embed, { CLIP_INTERPRET_CACHE: cache });
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    const page = await (await fetch(address)).text();
    const [script] = /\/assets\/[\w.-]+\.js/.exec(page) ?? [];
    expect(script).toBeDefined();
    expect((await fetch(new URL(script!, address))).headers.get("content-type")).toContain("text/javascript");
    const app = appSchema.parse(await (await fetch(new URL("/api/app", address))).json());
    const { version } = JSON.parse(await readFile(repositoryPath("package.json"), "utf8"));
    expect(app).toMatchObject({ version, defaultModel: "emoji-4x128-p8" });
    // A single view may stand in a frame of the page that was named, and nothing else in any.
    const framedBy = async (path: string) => {
      const { headers } = await fetch(new URL(path, address));
      const [, whose] = /frame-ancestors ([^;]+)/.exec(headers.get("content-security-policy")!)!;
      return [whose, headers.get("x-frame-options")];
    };
    expect(await framedBy("/look?embed=1")).toEqual(["https://blog.example.org", null]);
    expect(await framedBy("/look")).toEqual(["'none'", "DENY"]);
    expect(await framedBy("/api/app")).toEqual(["'none'", "DENY"]);
    child.kill("SIGINT");
    expect(await result).toMatchObject({ code: 0, stderr: "" });
    await expect(fetch(address)).rejects.toThrow();
  });

  it("is what the name alone means, at the port that the documents name", async () => {
    const env = { CLIP_INTERPRET_CACHE: await testFolder() };
    const taken = createServer();
    const free = await new Promise<boolean>((resolve) => {
      taken.once("error", () => resolve(false)).listen(7860, "127.0.0.1", () => resolve(true));
    });
    const refused = await runCli([], { env });
    expectError(refused, "ADDRESS_UNUSABLE");
    expect(refused.stderr).toMatch(/127\.0\.0\.1:7860.*`clip-interpret serve --port 0`/);
    // Somebody else's, who keeps it.
    if (!free) return;
    await new Promise((resolve) => taken.close(resolve));
    const { child, result, address } = await opened([], env);
    expect(address).toBe("http://127.0.0.1:7860/");
    expect((await fetch(address)).status).toBe(200);
    child.kill("SIGINT");
    expect(await result).toMatchObject({ code: 0, stdout: expect.stringMatching(/: node \S+ --help\n/) });
  });

  it("asks for a token, which the printed address has", async () => {
    const env = { CLIP_INTERPRET_CACHE: await testFolder(), CLIP_INTERPRET_TOKEN: "a token of twenty chars" };
    const outside = ["--origin", "https://clip.example.org:8443", "--base-path", "/clip"];
    const { child, result, address } = await serving(["--host", "0.0.0.0", ...outside], env);
    expect(new URL(address).pathname).toBe("/clip/");
    const local = address.replace("0.0.0.0", "127.0.0.1");
    expect((await fetch(new URL("/api/app", local))).status).toBe(401);
    expect((await fetch(local, { redirect: "manual" })).status).toBe(303);
    child.kill("SIGINT");
    expect((await result).stdout + (await result).stderr).toMatch(
      /proxy it is at https:\/\/clip\.example\.org:8443\/clip\/\?token=a%20token/,
    );
  });

  it("refuses to listen elsewhere without one, and says what to do about a port that is taken", async () => {
    const env = { CLIP_INTERPRET_CACHE: await testFolder() };
    expectError(await runCli(["serve", "--host", "0.0.0.0", "--port", "0"], { env }), "USAGE");
    const { child, result, address } = await serving([], env);
    expectError(await runCli(["serve", "--port", new URL(address).port], { env }), "ADDRESS_UNUSABLE");
    child.kill("SIGINT");
    await result;
  });

  it("starts without a folder to keep anything in, and says what is missing then", async () => {
    const file = join(await testFolder(), "a-file");
    await writeFile(file, "");
    const env = { CLIP_INTERPRET_CACHE: file };
    const { child, result, address } = await serving([], env);
    expect((await fetch(new URL("/api/app", address))).status).toBe(200);
    child.kill("SIGINT");
    expect((await result).stderr).toMatch(
      /^warning OUTPUT_UNWRITABLE: .* cannot be kept\. Set CLIP_INTERPRET_CACHE/,
    );
  });
});
