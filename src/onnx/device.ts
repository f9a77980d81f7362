import { ClipInterpretError } from "../support/errors.ts";
import { whyUnusable } from "./probe.ts";
import { env, InferenceSession, listSupportedBackends, RUNTIME_VERSION, Tensor } from "./runtime.ts";

// What goes wrong comes as an exception; ONNX Runtime would print it a second time. Read before the first session.
env.logLevel = "fatal";

/** A device that this platform's build of ONNX Runtime knows; where `bundled` is false, its libraries come apart. */
export interface Device {
  readonly name: string;
  readonly bundled: boolean;
}

/** What each device needs, for the hint of an error. */
const NEEDS: Readonly<Record<string, string>> = {
  coreml: "coreml needs macOS.",
  cuda: nvidia("cuda", "CUDA 12 and cuDNN 9"),
  dml: "dml (DirectML) needs Windows.",
  tensorrt: nvidia("tensorrt", "CUDA 12, cuDNN 9 and TensorRT 10"),
  webgpu: "webgpu needs a graphics driver: Vulkan on Linux x64, Direct3D 12 on Windows, Metal on macOS.",
};

function nvidia(device: string, libraries: string): string {
  const install =
    `\`npm install --ignore-scripts onnxruntime-node@${RUNTIME_VERSION} && ` +
    "node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12`";
  return `${device} needs Linux x64, an NVIDIA GPU, ${libraries}, and ONNX Runtime's GPU libraries, which ${install} puts beside this package.`;
}

/** The devices of this platform's build, as ONNX Runtime itself lists them. */
export const listDevices = (): Device[] =>
  listSupportedBackends().map(({ name, bundled }) => ({ name, bundled }));

/**
 * Makes sure that a device is there and computes, on a graph of one product that may run nowhere else. So a
 * device that is missing is an error, never a silent return to the CPU.
 *
 * @throws `DEVICE_UNAVAILABLE` with what this build has and what the device needs
 */
export async function requireDevice(name: string): Promise<void> {
  if (name === "cpu") return;
  if (!listDevices().some((device) => device.name === name)) throw unavailable(name, "is not in this build");
  // NVIDIA's libraries otherwise round every factor to 10 bits, and no sum would hold; read when they load.
  process.env.NVIDIA_TF32_OVERRIDE ??= "0";
  const why = await whyUnusable({ InferenceSession, Tensor }, name);
  if (why !== undefined) throw unavailable(name, why);
}

function unavailable(name: string, why: string): ClipInterpretError {
  const devices = listDevices();
  const names = (bundled: boolean) =>
    devices.flatMap((device) => (device.bundled === bundled ? [device.name] : [])).join(", ");
  const apart = names(false) && `; ${names(false)} once installed`;
  return new ClipInterpretError(
    "DEVICE_UNAVAILABLE",
    `device "${name}" ${why}. ONNX Runtime for ${process.platform} ${process.arch} has ${names(true)}${apart}`,
    { hint: `${NEEDS[name] ? `${NEEDS[name]} ` : ""}Leave --device out to run on the CPU.` },
  );
}
