import { type Bytes, jsonFrom } from "../support/bytes.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { pathIn } from "../support/paths.ts";
import type { TextRules } from "../text/tokenizer.ts";
import { hfTextRules, parseHfConfig } from "./hf-config.ts";
import {
  ACTIVATIONS,
  type Activation,
  type ModelConfig,
  readsTexts,
  type TowerActivation,
  type TowerConfig,
} from "./model-config.ts";
import { openClipFacts, parseOpenClipConfig } from "./open-clip-config.ts";
import { openAiConfig } from "./openai-config.ts";
import { readHfPreprocessor } from "./preprocess-config.ts";
import { DTYPE_BYTES, type TensorRef } from "./safetensors.ts";
import { readTensor } from "./tensor-values.ts";
import type { TimmTower } from "./timm-tower.ts";
import { chooseWeightFile, readTensors, type WeightTensors } from "./weight-files.ts";
import type { ClipWeights } from "./weight-roles.ts";
import { quoted } from "./weight-source.ts";
import { assembleWeights, detectLayout } from "./weights.ts";
import { modelFolder } from "./wrapped-folder.ts";

/** Who says which activation a model has: its config, the caller, a known model's name, or nobody. */
export type ActivationSource = "config" | "option" | "known" | "assumed";

/** A checkpoint, understood: where every weight lies, and what the config says. */
export interface Checkpoint {
  /** What messages call it. */
  readonly name: string;
  readonly folder: string;
  readonly layout: "open_clip" | "transformers";
  readonly config: ModelConfig;
  readonly activationSource: ActivationSource;
  readonly weights: ClipWeights;
  /** e^`logit_scale`: multiplies cosines before the softmax of zero-shot classification. */
  readonly logitScale: number;
  /** Of a model that was trained with a sigmoid: added to scaled cosines, of which the sigmoid is a probability. */
  readonly logitBias?: number;
  /** How its library reads texts. */
  readonly textRules: TextRules;
  /** Whose tokenizer an OpenCLIP config names, if any. */
  readonly tokenizerName: string | undefined;
}

/** What is known of a checkpoint beside its files. */
export interface CheckpointOptions {
  /** The activation, whatever the config says. */
  readonly activation?: Activation;
  /** The activation where the config does not say: what is known of a published model. */
  readonly knownActivation?: Activation;
}

/**
 * Reads a folder with OpenCLIP's files (`open_clip_config.json` + weights) or transformers' (`config.json` + weights,
 * in one file or several with an index), or OpenAI's archive alone. Weights are safetensors or PyTorch's `.bin`; only headers
 * are read.
 *
 * @param asked the checkpoint's folder, or one that sentence-transformers wrote
 * @param name what to call it in messages; it decides nothing
 * @throws `MODEL_NOT_FOUND`, `MODEL_UNSUPPORTED`, `CONFIG_INVALID`, `CHECKPOINT_INVALID`, `CHECKPOINT_MISMATCH`
 */
export async function readCheckpoint(
  bytes: Bytes,
  asked: string,
  name: string,
  options: CheckpointOptions = {},
): Promise<Checkpoint> {
  const { folder, files } = await modelFolder(bytes, asked);
  const weightFile = chooseWeightFile(folder, files);
  const found = await readTensors(bytes, pathIn(folder, weightFile));
  const layout = detectLayout(found.tensors);
  if (layout === "timm" || layout === "unknown") {
    const why = layout === "timm" ? "are named as timm's" : describeUnknown(found);
    throw new ClipInterpretError("MODEL_UNSUPPORTED", `the tensors of ${pathIn(folder, weightFile)} ${why}`, {
      hint: "Put open_clip_model.safetensors with open_clip_config.json into the folder, or a transformers CLIPModel.",
    });
  }
  const described = await readConfig(bytes, folder, layout, files, found, name, options);
  const { tower, ...rest } = described;
  const weights = assembleWeights(found, layout, rest.config, tower);
  const logitScale = Math.exp(await scalarOf(bytes, weights.logitScale));
  const logitBias = weights.logitBias && (await scalarOf(bytes, weights.logitBias));
  return {
    name,
    folder,
    layout,
    ...rest,
    weights,
    logitScale,
    ...(logitBias !== undefined && { logitBias }),
  };
}

/** A scalar's value; 0 where there is none. */
async function scalarOf(bytes: Bytes, tensor: TensorRef | undefined): Promise<number> {
  if (!tensor) return 0;
  const [value] = await readTensor(bytes, tensor);
  if (!Number.isFinite(Math.exp(value)))
    throw new ClipInterpretError("CHECKPOINT_INVALID", `tensor ${tensor.name} is ${value}`);
  return value;
}

/** Why tensors are no CLIP's that is known, as far as names and types tell. */
function describeUnknown({ tensors, leftOut }: WeightTensors): string {
  if (tensors.has("visual.layer1.0.conv1.weight"))
    return "are those of a CLIP ResNet, made of convolutions: it has no layers of attention heads";
  const neither = "are neither OpenCLIP's nor transformers' CLIP ViT";
  const names = [...tensors.keys()];
  if (names.length === 0) {
    const types = [...new Set(leftOut.values())].join(", ");
    return `are of type ${types}; ${Object.keys(DTYPE_BYTES).join(", ")} are read here`;
  }
  const [first = ""] = names;
  const parts = first.split(".").slice(0, -1);
  const shared = parts.filter((_, i) => {
    const prefix = `${parts.slice(0, i + 1).join(".")}.`;
    return names.every((name) => name.startsWith(prefix));
  });
  if (shared.length > 0 && names.length > 1)
    return `${neither}: all names start with ${quoted(`${shared.join(".")}.`)}, and none goes on as theirs do`;
  const some = names.slice(0, 3).map(quoted).join(", ");
  return `${neither}; they are ${some}${names.length > 3 ? ` and ${names.length - 3} more` : ""}`;
}

async function readConfig(
  bytes: Bytes,
  folder: string,
  layout: "open_clip" | "transformers",
  files: ReadonlySet<string>,
  found: WeightTensors,
  name: string,
  options: CheckpointOptions,
): Promise<
  Pick<Checkpoint, "config" | "activationSource" | "textRules" | "tokenizerName"> & {
    readonly tower?: TimmTower | undefined;
  }
> {
  const file = layout === "open_clip" ? "open_clip_config.json" : "config.json";
  const inferred = files.has(file) || layout !== "open_clip" ? undefined : openAiConfig(found);
  if (!files.has(file) && !inferred) {
    throw new ClipInterpretError("CONFIG_INVALID", `${folder} holds ${layout} weights but no ${file}`);
  }
  const json = inferred ?? (await jsonFrom(bytes, pathIn(folder, file)));
  if (layout === "open_clip") {
    const config = parseOpenClipConfig(json, name, options.knownActivation);
    const { saysActivation, ...facts } = openClipFacts(json, name);
    const source = saysActivation ? "config" : options.knownActivation ? "known" : "assumed";
    return { ...chooseActivation(config, source, options, facts.tower !== undefined), ...facts };
  }
  const how = await readHfPreprocessor(bytes, folder, files);
  const config = parseHfConfig(json, how, name);
  const textRules = hfTextRules(json, name);
  return { ...chooseActivation(config, "config", options), textRules, tokenizerName: undefined };
}

function chooseActivation(
  config: ModelConfig,
  source: ActivationSource,
  { activation }: CheckpointOptions,
  isTimm = false,
): Pick<Checkpoint, "config" | "activationSource"> {
  if (activation === undefined) return { config, activationSource: source };
  const { vision, text } = config;
  // A tower with another activation than these two was never a matter of choice, nor was a language model's or timm's.
  const choose = <Tower extends TowerConfig>(tower: Tower): Tower =>
    isChoice(tower.activation) && !("language" in tower) ? { ...tower, activation } : tower;
  const chosen = {
    ...config,
    vision: isTimm ? vision : choose(vision),
    text: readsTexts(text) ? choose(text) : text,
  };
  // Who says what the config says too has said nothing.
  const same = source === "config" && JSON.stringify(chosen) === JSON.stringify(config);
  return { config: chosen, activationSource: same ? "config" : "option" };
}

const isChoice = (activation: TowerActivation): boolean =>
  (ACTIVATIONS as readonly TowerActivation[]).includes(activation);
