import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { cacheFolder, hubSettings } from "./environment.ts";

const HOME = join("/", "home", "someone");
const at = (...parts: string[]) => join(HOME, ...parts);

describe("the hub's environment variables", () => {
  it("name the cache, the most particular first; empty ones do not count", () => {
    expect(cacheFolder({ HOME })).toBe(at(".cache", "huggingface", "hub"));
    expect(cacheFolder({ HOME, XDG_CACHE_HOME: "/xdg" })).toBe(join("/xdg", "huggingface", "hub"));
    expect(cacheFolder({ HOME, XDG_CACHE_HOME: "/xdg", HF_HOME: "~/hf" })).toBe(at("hf", "hub"));
    expect(cacheFolder({ HOME, HF_HOME: "/hf", HUGGINGFACE_HUB_CACHE: "/old" })).toBe("/old");
    expect(cacheFolder({ HOME, HUGGINGFACE_HUB_CACHE: "/old", HF_HUB_CACHE: "~/new" })).toBe(at("new"));
    expect(cacheFolder({ HOME, HF_HUB_CACHE: "", HF_HOME: "" })).toBe(at(".cache", "huggingface", "hub"));
  });

  it("name the endpoint, which must be a web address", async () => {
    expect((await hubSettings({ HOME })).endpoint).toBe("https://huggingface.co");
    expect((await hubSettings({ HOME, HF_ENDPOINT: "http://mirror.example/hf/" })).endpoint).toBe(
      "http://mirror.example/hf",
    );
    for (const HF_ENDPOINT of ["mirror", "file:///etc"]) {
      await expect(hubSettings({ HOME, HF_ENDPOINT })).rejects.toMatchObject({ code: "USAGE" });
    }
  });

  it("name the token, else it is in a file", async () => {
    const folder = await mkdtemp(join(tmpdir(), "clip-interpret-token-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    expect((await hubSettings({ HF_HOME: folder })).token).toBeUndefined();
    await writeFile(join(folder, "token"), "hf_file\n");
    await writeFile(join(folder, "other"), "hf_other");
    expect((await hubSettings({ HF_HOME: folder })).token).toBe("hf_file");
    expect((await hubSettings({ HF_HOME: folder, HF_TOKEN_PATH: join(folder, "other") })).token).toBe(
      "hf_other",
    );
    expect((await hubSettings({ HF_HOME: folder, HF_TOKEN: "hf_mine" })).token).toBe("hf_mine");
  });

  it("say when to stay offline", async () => {
    const offline = async (env: Record<string, string>) => (await hubSettings({ HOME, ...env })).offline;
    for (const yes of ["1", "true", "YES", "on"]) expect(await offline({ HF_HUB_OFFLINE: yes })).toBe(true);
    expect(await offline({ TRANSFORMERS_OFFLINE: "1" })).toBe(true);
    expect(await offline({ HF_HUB_OFFLINE: "0" })).toBe(false);
  });
});
