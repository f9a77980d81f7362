import type { VerifyResult } from "../../results/verify.ts";
import { terminalTable } from "../kit/table.ts";
import { cleanText } from "../kit/text.ts";

/** What the checks of a model found, as plain lines for a terminal. Names and messages may come from a file. */
export function verifyTerminal(result: VerifyResult): string {
  const blocks = [heading(result), checks(result), guesses(result), published(result)];
  const lines = blocks.filter((block) => block.length > 0).map((block) => block.join("\n"));
  return `${lines.join("\n\n")}\n`;
}

function heading({ origin, architecture: shape, imagesPerSecond }: VerifyResult): string[] {
  const { name, precision, device } = origin.model;
  const activation = shape.activation === "gelu" ? "GELU" : "QuickGELU";
  const speed = imagesPerSecond === null ? "" : `: ${imagesPerSecond.toFixed(1)} decompositions a second`;
  const computed = precision === "fp32" ? precision : `${precision} approximation`;
  return [
    cleanText(name),
    `${shape.layers} layers × ${shape.heads} heads of ${shape.headDim}, patch ${shape.patchSize}, ${shape.imageSize} × ${shape.imageSize} pixels`,
    `${shape.embedDim} dimensions, ${activation}, ${(shape.parameters / 1e6).toFixed(1)} million parameters`,
    `${computed} on ${cleanText(device)}${speed}`,
  ];
}

function checks({ checks }: VerifyResult): string[] {
  const rows = checks.map(({ name, status, result }) => [status.toUpperCase(), name, result]);
  const [head, ...lines] = terminalTable(["", "check", "measured"], rows);
  return [head, ...lines.flatMap((line, i) => [line, `      ${cleanText(checks[i].meaning)}`])];
}

function guesses({ pictures, guesses }: VerifyResult): string[] {
  if (guesses.length === 0) return [];
  const rows = guesses.map(({ file, text, similarity, isTrue }) => [
    ...[file, similarity.toFixed(3), text, isTrue ? "" : "wrong"],
  ]);
  return terminalTable([`of the ${pictures}`, "#cosine", "best of its texts", ""], rows);
}

function published({ published }: VerifyResult): string[] {
  if (!published) return [];
  const layers = new Map<number, string[]>();
  for (const { layer, label } of published.heads)
    layers.set(layer, [...(layers.get(layer) ?? []), cleanText(label)]);
  const { high, moderate, low } = published.consistency;
  const printed = (value: number | null) => (value === null ? "not printed" : String(value));
  return [
    `Published for ${cleanText(published.model)} (head labels of the CLIP-InterpreT application, H0 first):`,
    ...[...layers].map(([layer, labels]) => `${`L${layer}`.padEnd(4)}${labels.join(" · ")}`),
    `Printed: entanglement ${printed(published.entanglement)}, association ${printed(published.association)}; heads of high, moderate and low consistency ${high}, ${moderate}, ${low}.`,
    `Of these labels as written, ${published.sharedLabels.toFixed(3)} are shared with another head. The printed values follow from the labels`,
    "under no rule that we tried, so they stand here as published, not confirmed. None of them was computed by this run.",
  ];
}
