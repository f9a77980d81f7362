import { hubIdOfFolder } from "../hub/cache.ts";
import { findTokenizer } from "../hub/find-tokenizer.ts";
import { preprocess } from "../image/preprocess.ts";
import { requireDevice } from "../onnx/device.ts";
import { openNodeSession } from "../onnx/node-session.ts";
import { disk } from "../support/disk-bytes.ts";
import { fullPath, nameOnDisk } from "../support/disk-paths.ts";
import { assembleModel, type ClipModel, type ModelOptions } from "./clip-model.ts";
import type { Platform } from "./platform.ts";

/** Node, on this machine. */
const NODE: Platform = { bytes: disk, openSession: openNodeSession, findTokenizer, preprocess };

/**
 * Loads a checkpoint folder of this machine. Graphs and the tokenizer are loaded when first needed and kept.
 *
 * @param name what to call it in messages; a known model's name or hub id, as `locateModel` gives it, also says which
 *   activation its weights need where the config does not
 * @throws as {@link assembleModel}, and `DEVICE_UNAVAILABLE`
 */
export async function loadClipModel(
  folder: string,
  name?: string,
  options: ModelOptions = {},
): Promise<ClipModel> {
  const { device = "cpu", precision = "fp32" } = options;
  if (precision === "fp32") await requireDevice(device);
  const path = fullPath(folder);
  const knownAs = [name, hubIdOfFolder(path)].filter((text) => text !== undefined);
  return assembleModel(NODE, { folder, name: name ?? nameOnDisk(path), knownAs }, options);
}
