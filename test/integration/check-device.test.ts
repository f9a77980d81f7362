import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkDevice } from "../../src/analysis/verify/device.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { EXAMPLE_SCENE } from "../../src/world/example-scene.ts";
import { goldenPath } from "../support/goldens.ts";
import { readRawTensors, writeSafetensors } from "../support/safetensors.ts";

const FOLDER = goldenPath("gelu-p8/open_clip");
const WEIGHTS = "open_clip_model.safetensors";
/** What attends in the first layer: no sum shows that it is another. */
const ATTENDS = "visual.transformer.resblocks.0.attn.in_proj_weight";

let scratch: string;
let model: ClipModel;
const opened: ClipModel[] = [];
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "check-device-"));
  model = await loadClipModel(FOLDER);
  opened.push(model);
});
afterAll(async () => {
  await Promise.all(opened.map((one) => one.release()));
  await rm(scratch, { recursive: true, force: true });
});

/** The model as a device computes it that is off by a share in one weight. */
async function offBy(share: number): Promise<ClipModel> {
  const folder = join(scratch, String(share));
  await cp(FOLDER, folder, { recursive: true });
  const tensors = readRawTensors(join(folder, WEIGHTS));
  const tensor = tensors.get(ATTENDS)!;
  const numbers = new Float32Array(Uint8Array.from(tensor.bytes).buffer).map(
    (weight) => weight * (1 + share),
  );
  writeSafetensors(
    join(folder, WEIGHTS),
    tensors.set(ATTENDS, { ...tensor, bytes: new Uint8Array(numbers.buffer) }),
  );
  const spoilt = await loadClipModel(folder);
  opened.push(spoilt);
  return spoilt;
}

describe("a device that is held to the CPU", () => {
  it("passes where it computes the same", async () => {
    const shown = await model.preprocess(EXAMPLE_SCENE.path);
    expect(await checkDevice(model, model, [shown])).toMatchObject({
      name: "float32",
      status: "pass",
      value: 0,
    });
  });

  it("fails by how much it is off, though every sum holds", async () => {
    const shown = await model.preprocess(EXAMPLE_SCENE.path);
    const spoilt = await offBy(1e-3);
    const { status, value, result } = await checkDevice(spoilt, model, [shown]);
    expect([status, result]).toEqual(["fail", `off by ${value!.toExponential(1)} of the largest entry`]);
    expect(value).toBeGreaterThan(1e-4);
    expect(value).toBeLessThan(0.1);
  });

  it("fails where its parts do not add up", async () => {
    const shown = await model.preprocess(EXAMPLE_SCENE.path);
    const wrong: ClipModel = {
      ...model,
      async decompose(pixels, work) {
        // What a device that gives no numbers gives.
        return model.decompose(
          pixels.map(() => Number.NaN),
          work,
        );
      },
    };
    const { status, value, result } = await checkDevice(wrong, model, [shown]);
    expect([status, value]).toEqual(["fail", null]);
    expect(result).toMatch(/NaN/);
  });
});
