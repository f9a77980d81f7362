import { describe, expect, it } from "vitest";
import { loadCheckpoint } from "../../src/checkpoint/load.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { listDevices, requireDevice } from "../../src/onnx/device.ts";
import { createSession } from "../../src/onnx/node-session.ts";
import { listSupportedBackends } from "../../src/onnx/runtime.ts";
import { visionGraph } from "../../src/onnx/vision.ts";
import { ClipInterpretError } from "../../src/support/errors.ts";
import { relativeError } from "../support/compare.ts";
import { goldenArray, goldenPath, goldenTokens } from "../support/goldens.ts";
import { runHere } from "../support/run-cli.ts";

const FOLDER = goldenPath("gelu-p8/open_clip");
const KNOWN = ["coreml", "cuda", "dml", "qnn", "tensorrt", "webgpu"];
const here = new Set(listDevices().map(({ name }) => name));

describe("a device", () => {
  it("is listed as ONNX Runtime lists it, the CPU always", () => {
    expect(listDevices()).toEqual(listSupportedBackends());
    expect(listDevices()).toContainEqual({ name: "cpu", bundled: true });
  });

  it.each([...KNOWN.filter((name) => !here.has(name)), "abacus", "CPU", ""])(
    "that this build lacks is refused with what it has: %j",
    async (device) => {
      const load = loadClipModel(FOLDER, undefined, { device });
      await expect(load).rejects.toMatchObject({
        code: "DEVICE_UNAVAILABLE",
        message: expect.stringMatching(/is not in this build.* has cpu/),
        hint: expect.stringContaining("Leave --device out"),
      });
    },
  );

  it.each(KNOWN.filter((name) => here.has(name)))(
    "either computes the golden numbers or is refused with the reason, and never becomes the CPU in silence: %s",
    async (device) => {
      const started = await requireDevice(device).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (started !== undefined) {
        expect(started).toBeInstanceOf(ClipInterpretError);
        expect(started).toMatchObject({
          code: "DEVICE_UNAVAILABLE",
          message: expect.stringMatching(/does not start: .+ has cpu/s),
          hint: expect.stringContaining(`${device} `),
        });
        await expect(loadClipModel(FOLDER, undefined, { device })).rejects.toMatchObject({
          code: "DEVICE_UNAVAILABLE",
        });
        return;
      }
      const model = await loadClipModel(FOLDER, undefined, { device });
      expect(model.device).toBe(device);
      const { data: pixels } = await goldenArray("gelu-p8/pixels.npy", 4);
      const { embedding, error } = await model.decompose(pixels);
      const golden = await goldenArray("gelu-p8/image_embedding.npy", 2);
      expect(relativeError(embedding, golden.data)).toBeLessThan(1e-4);
      expect(Math.max(...error)).toBeLessThan(1e-4);
      const texts = await model.encodeTokens(await goldenTokens("gelu-p8"));
      const goldenTexts = await goldenArray("gelu-p8/text_embedding.npy", 2);
      expect(relativeError(texts, goldenTexts.data)).toBeLessThan(1e-4);
      await model.release();
      // Convolutions, which WebGPU got wrong with channels last.
      const convolved = await loadClipModel(goldenPath("kinds/mobileclip"), undefined, { device });
      const { data } = await goldenArray("kinds/mobileclip/pixels.npy", 4);
      const expected = await goldenArray("kinds/mobileclip/image_embedding.npy", 2);
      expect(relativeError((await convolved.decompose(data)).embedding, expected.data)).toBeLessThan(1e-4);
      await convolved.release();
    },
  );

  it("other than the CPU gets attention in plain products, which on the CPU is the fused one to rounding", async () => {
    const { config, weights } = await loadCheckpoint(FOLDER);
    const { data } = await goldenArray("gelu-p8/pixels.npy", 4);
    const side = config.vision.imageSize;
    const pixels = { data, dims: [data.length / (3 * side * side), 3, side, side] };
    const [fused, products] = await Promise.all(
      (["fused", "products"] as const).map(async (attention) => {
        const how = {
          kind: "decompose",
          tokenLayers: [4],
          gated: false,
          precision: "fp32",
          attention,
        } as const;
        const session = await createSession(visionGraph(config, weights.vision, how), weights.file);
        const outputs = await session.run({ pixels });
        await session.release();
        return outputs;
      }),
    );
    expect(Object.keys(products)).toEqual(Object.keys(fused));
    for (const [name, { data, dims }] of Object.entries(fused)) {
      expect(products[name].dims).toEqual(dims);
      expect(relativeError(products[name].data, data)).toBeLessThan(1e-5);
    }
  });

  it("does int8 on the CPU alone", async () => {
    const load = loadClipModel(FOLDER, undefined, { device: "webgpu", precision: "int8" });
    await expect(load).rejects.toMatchObject({ code: "DEVICE_UNAVAILABLE" });
  });

  it("is an option of every command that runs a model", async () => {
    const lacking = ["coreml", "dml"].find((name) => !here.has(name))!;
    const { code, stdout, stderr } = await runHere("explain", "--device", lacking);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(
      new RegExp(`^error DEVICE_UNAVAILABLE: device "${lacking}" is not in this build.*\n$`),
    );
    expect((await runHere("explain", "--device", "cpu")).code).toBe(0);
  });
});
