import { type Neuron, readsTexts } from "../checkpoint/model-config.ts";
import { ClipInterpretError } from "../support/errors.ts";
import type { ClipModel } from "./clip-model.ts";
import { isEmbedded } from "./embedded.ts";

/** What every result of an approximate model must come with; nothing in float32. */
export const precisionNotice = ({ precision }: ClipModel): string[] =>
  precision === "fp32"
    ? []
    : [
        `${precision} approximation: the parts sum exactly to a score that is near float32's, not equal to it.`,
      ];

const ACTIVATION_NAMES = {
  ...{ gelu: "GELU", quick_gelu: "QuickGELU", gelu_tanh: "GELU (tanh)", silu: "SiLU", relu: "ReLU" },
} as const;

/** Which activation was taken, where neither the model's config nor a known model's name says it. */
function activationNotice({ name, config, checkpoint }: ClipModel): string[] {
  const { vision, text } = config;
  const taken = ACTIVATION_NAMES[vision.activation];
  if (checkpoint.activationSource === "option") {
    if (!readsTexts(text) || text.language || text.activation === vision.activation)
      return [`${taken} was taken because --activation says so.`];
    const read = ACTIVATION_NAMES[text.activation];
    return [
      `${read} was taken for texts because --activation says so; the image tower has its own, ${taken}.`,
    ];
  }
  if (checkpoint.activationSource !== "assumed") return [];
  return [
    `The config of ${name} does not say which activation it needs; ${taken} was taken, as OpenCLIP does. Weights made from OpenAI's need --activation quick_gelu.`,
  ];
}

/** That a register takes what some neurons write: the network computes something else then. */
const registerNotice = ({ config: { vision } }: ClipModel): string[] =>
  vision.registers
    ? [
        `With a register for ${vision.registers.map(neuronName).join(", ")}: not the network as it was trained.`,
      ]
    : [];

/** `L3.N17`: layer and number in the MLP's hidden layer, counted from zero. */
export const neuronName = ({ layer, neuron }: Neuron): string => `L${layer}.N${neuron}`;

/** Neurons of a list as it is typed. @throws `USAGE` */
export function parseNeurons(list: string): Neuron[] {
  return list.split(",").map((part) => {
    const [, layer, neuron] = /^\s*L(\d+)\.N(\d+)\s*$/i.exec(part) ?? [];
    if (neuron === undefined)
      throw new ClipInterpretError("USAGE", `"${part}" names no neuron, as L3.N17 does`);
    return { layer: Number(layer), neuron: Number(neuron) };
  });
}

/** What a reader must know before a model's pictures and scores, if anything. */
export function modelNotice(model: ClipModel): string | undefined {
  const embedded = `${model.name} is a small model trained on generated scenes of drawn emoji. It knows nothing of photographs.`;
  const notices = [
    ...(isEmbedded(model.name) ? [embedded] : []),
    ...precisionNotice(model),
    ...activationNotice(model),
    ...registerNotice(model),
  ];
  return notices.length > 0 ? notices.join(" ") : undefined;
}

/** The texts that a model reads only the beginning of, as results say it; nothing where it reads all of each. */
export async function truncatedIn(
  model: Pick<ClipModel, "tokenizer">,
  texts: readonly string[],
): Promise<{ truncated?: { text: string; tokens: number }[] }> {
  const tokenizer = await model.tokenizer();
  const cut = [...new Set(texts)].flatMap((text) => {
    const { ids, truncated } = tokenizer.encode(text);
    return truncated ? [{ text, tokens: ids.length }] : [];
  });
  return cut.length > 0 ? { truncated: cut } : {};
}
