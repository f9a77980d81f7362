import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type VerifyResult, verifyResultSchema } from "../../src/results/verify.ts";
import { goldenPath } from "../support/goldens.ts";

/*
 * `--device webgpu` on a software Vulkan, the one that Chromium brings: without it nothing is tested here, and said so.
 */

const CHROMIUM = process.env.CHROMIUM_LIBRARIES ?? "/usr/lib/chromium";
const DRIVER = join(CHROMIUM, "vk_swiftshader_icd.json");
const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const isThere = existsSync(DRIVER) && existsSync(join(CHROMIUM, "libvulkan.so.1"));
if (!isThere) console.warn(`--device webgpu was not tried: no ${DRIVER} with libvulkan.so.1 beside it.`);

function verify(model: string): Promise<VerifyResult> {
  const env = { ...process.env, VK_ICD_FILENAMES: DRIVER, LD_LIBRARY_PATH: CHROMIUM };
  const args = [MAIN, "verify", model, "--device", "webgpu", "--pictures", "scenes", "--json"];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { env, timeout: 600_000 }, (error, stdout, stderr) => {
      // What is wrong with a model is in the result.
      if (stdout === "") reject(error ?? new Error(stderr));
      else resolve(verifyResultSchema.parse(JSON.parse(stdout)));
    });
  });
}

describe.skipIf(!isThere)("WebGPU on a software Vulkan", () => {
  it.each([
    ["an embedded model", "emoji-4x128-p8"],
    ["convolutions before the first layer", goldenPath("kinds/mobileclip")],
    ["pooling by attention", goldenPath("kinds/siglip-timm")],
    ["a ViT with convolutions", goldenPath("kinds/vitamin")],
  ])("computes what the CPU does: %s", async (_, model) => {
    const { checks, origin } = await verify(model);
    expect(origin.model.device).toBe("webgpu");
    const value = checks.find(({ name }) => name === "float32")?.value;
    expect(value).toBeLessThan(1e-5);
    expect(checks.find(({ name }) => name === "sums")?.value).toBeLessThan(1e-5);
  });
});
