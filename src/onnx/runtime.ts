/**
 * ONNX Runtime, and which one. `onnxruntime-node` cannot be a dependency of the package: its install script downloads
 * GPU libraries, and where it cannot, npm installs nothing. So the package carries its files, without the script
 * (`scripts/copy-onnxruntime.ts`, decision 24). Everything here that needs ONNX Runtime imports it from this file.
 */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import * as common from "onnxruntime-common";
import { ClipInterpretError } from "../support/errors.ts";
import { reasonOf } from "../support/reason.ts";
import { VERSION } from "../support/version.ts";
import { PLATFORMS } from "./platforms.ts";

/** What `onnxruntime-node` exports. */
type Runtime = typeof common & {
  /** The devices that this platform's build can use. */
  readonly listSupportedBackends: () => { readonly name: string; readonly bundled: boolean }[];
};

// ONNX Runtime 1.29 and later report to Microsoft from every process unless this is switched off before their first session;
// they also leave files in the home and temporary folders and crash on a command line of more than 28 kB.
process.env.ORT_DISABLE_TELEMETRY ??= "1";

/** The version that the numbers were tested with. */
export const RUNTIME_VERSION: string = common.env.versions.common as string;

const require = createRequire(import.meta.url);

/** dist/onnxruntime, from src/onnx/ and dist/onnx/ alike. */
const CARRIED = fileURLToPath(new URL("../../dist/onnxruntime", import.meta.url));
const PLATFORM = `${process.platform}-${process.arch}`;
/** What carries it for this platform alone, where this package does not (`scripts/pack-platforms.ts`). */
const OF_PLATFORM = `clip-interpret-onnxruntime-${PLATFORM}`;

/**
 * An installed `onnxruntime-node` of this very version, which may hold the GPU libraries; else the one that is carried, here or by
 * the platform's package.
 */
function loadRuntime(): Runtime {
  const at = (path: string) => {
    try {
      return require.resolve(path);
    } catch {
      return undefined; // Not installed, as usual.
    }
  };
  const beside = at("onnxruntime-node/package.json");
  try {
    if (beside !== undefined && require(beside).version === RUNTIME_VERSION)
      return require("onnxruntime-node");
    const found = at(CARRIED) ?? at(OF_PLATFORM);
    if (found !== undefined) return require(found);
  } catch (cause) {
    throw missing(cause);
  }
  throw missing();
}

/** Why there is no ONNX Runtime, and what to do. @param cause why it does not load, where it is there */
function missing(cause?: unknown): ClipInterpretError {
  const of = (message: string, hint: string) =>
    new ClipInterpretError("RUNTIME_MISSING", message, { hint, cause });
  const needed = PLATFORMS[PLATFORM];
  if (needed === undefined) {
    const others = `It is there for ${Object.keys(PLATFORMS).join(", ")}.`;
    return of(
      `there is no ONNX Runtime for ${PLATFORM}`,
      `${others} The page without a server (docs/browser.md) needs a browser alone.`,
    );
  }
  if (cause === undefined)
    return of(
      `${OF_PLATFORM} is not installed`,
      `npm install ${OF_PLATFORM}@${VERSION}. npm leaves it out with --omit=optional, and where the system is too old for it: it needs ${needed}.`,
    );
  const hint = `It needs ${needed}. Where that is there, install this package again.`;
  return of(`ONNX Runtime does not load: ${reasonOf(cause)}`, hint);
}

export const { env, InferenceSession, listSupportedBackends, Tensor }: Runtime = loadRuntime();

/** A loaded graph. */
export type InferenceSession = common.InferenceSession;
/** Numbers with a shape. */
export type Tensor = common.Tensor;
