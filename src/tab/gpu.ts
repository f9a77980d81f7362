/** A GPU that a tab may compute image towers on, for as long as it gives the numbers that WebAssembly gives. */
import { checkDevice } from "../analysis/verify/device.ts";
import type { ClipModel } from "../model/clip-model.ts";
import { type GpuRuntime, lossOf } from "../onnx/web-session.ts";
import { ClipInterpretError, messageOf } from "../support/errors.ts";

/** Whether, and for which models, a GPU is used. */
export interface TabGpu {
  /** Whether models that are opened from now on are to be computed there. */
  use(wanted: boolean): void;
  /** Where a model is computed, by its name: of one that was not opened yet, where it is to be. */
  deviceOf(name: string): "cpu" | "webgpu";
  /** Opens a model on the GPU, if that is wanted and computes what WebAssembly does; else in WebAssembly, and says why. */
  open(name: string, load: (gpu?: GpuRuntime) => Promise<ClipModel>): Promise<ClipModel>;
  /**
   * Hears that a question about a model failed.
   * @returns whether that was the GPU's doing, so that it is to be asked again
   */
  failed(name: string, error: unknown): boolean;
  /** The same model in WebAssembly, beside one that is on the GPU. */
  referenceOf(model: ClipModel): ClipModel | undefined;
}

/** What a GPU is used with. */
export interface TabGpuPlace {
  /** Fetches what computes there. */
  readonly runtime: () => Promise<GpuRuntime>;
  /** Files of pictures that models are compared on. */
  readonly pictures: () => Promise<readonly Uint8Array[]>;
  /** Hears why a GPU is not used for a model, or for none any more. */
  readonly tell: (error: ClipInterpretError, model: string | null) => void;
}

/** Nothing is fetched and nothing compared before a model is opened with the GPU wanted. */
export function createTabGpu({ runtime, pictures, tell }: TabGpuPlace): TabGpu {
  let isWanted = false;
  let lost: ClipInterpretError | undefined;
  const refused = new Set<string>();
  const references = new WeakMap<ClipModel, ClipModel>();
  const isListening = new WeakSet<GpuRuntime>();
  const listen = (gpu: GpuRuntime) => {
    if (isListening.has(gpu)) return;
    isListening.add(gpu);
    void lossOf(gpu).then((message) => {
      lost = new ClipInterpretError("DEVICE_UNAVAILABLE", `the GPU was lost: ${message}`, {
        hint: "WebAssembly goes on. Load the page again to try the GPU once more.",
      });
      if (isWanted) tell(lost, null);
    });
  };
  const compare = async (model: ClipModel, reference: ClipModel) => {
    const shown = [];
    for (const file of await pictures()) shown.push(await reference.preprocess(file));
    const { status, result } = await checkDevice(model, reference, shown);
    if (status !== "pass")
      throw new ClipInterpretError(
        "DEVICE_DIFFERS",
        `the GPU does not compute what WebAssembly does. ${reference.name}: ${result}`,
      );
  };
  const giveUp = (name: string, error: unknown) => {
    const why =
      error instanceof ClipInterpretError
        ? error
        : new ClipInterpretError("DEVICE_UNAVAILABLE", `the GPU is not used: ${messageOf(error)}`, {
            hint: "WebAssembly computes instead.",
            cause: error,
          });
    refused.add(name);
    if (lost === undefined) tell(why, name);
  };
  const deviceOf: TabGpu["deviceOf"] = (name) =>
    isWanted && lost === undefined && !refused.has(name) ? "webgpu" : "cpu";
  return {
    use(wanted) {
      isWanted = wanted;
      refused.clear();
      if (wanted && lost) tell(lost, null);
    },
    deviceOf,
    failed(name, error) {
      if (!(error instanceof ClipInterpretError)) return false;
      const isOfIt = error.code === "DEVICE_UNAVAILABLE" || error.code === "SUM_MISMATCH";
      if (!isOfIt) return false;
      const wasThere = deviceOf(name) === "webgpu";
      if (wasThere) giveUp(name, error);
      return wasThere || (lost !== undefined && error.code === "DEVICE_UNAVAILABLE");
    },
    referenceOf: (model) => references.get(model),
    async open(name, load) {
      const reference = await load();
      if (deviceOf(name) === "cpu") return reference;
      let opened: ClipModel | undefined;
      try {
        const gpu = await runtime();
        opened = await load(gpu);
        listen(gpu);
        await compare(opened, reference);
      } catch (error) {
        await opened?.release().catch(() => {});
        if (!isOfDevice(error)) throw error;
        giveUp(name, error);
        return reference;
      }
      // Its graphs are loaded again where they are needed.
      await reference.release();
      const onGpu = opened;
      const model: ClipModel = {
        ...onGpu,
        loadedBytes: () => onGpu.loadedBytes() + reference.loadedBytes(),
        async release() {
          await reference.release();
          await onGpu.release();
        },
      };
      references.set(model, reference);
      return model;
    },
  };
}

/** What keeps a GPU from computing, and WebAssembly from nothing. */
const isOfDevice = (error: unknown): boolean =>
  !(error instanceof ClipInterpretError) || error.code.startsWith("DEVICE_");
