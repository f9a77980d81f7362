import type { z } from "zod";
import type { verifyResultSchema } from "../results/verify.ts";
import { terminalTable } from "../views/kit/table.ts";
import { oneLine } from "./strings.ts";

type Result = z.infer<typeof verifyResultSchema>;

/** What `verify` prints for people. */
export function verifyText(result: Result): string {
  const blocks = [heading(result), checks(result), guesses(result), published(result)];
  // Names and messages may come from a file: they must not command the terminal.
  const safe = (block: string) => block.split("\n").map(oneLine).join("\n");
  return blocks
    .filter((block) => block !== "")
    .map(safe)
    .join("\n\n");
}

function heading({ model, precision, device, architecture: shape, imagesPerSecond }: Result): string {
  const size = `${shape.layers} layers × ${shape.heads} heads of ${shape.headDim}, patch ${shape.patchSize}, ${shape.imageSize} × ${shape.imageSize} pixels`;
  const activation = shape.activation === "gelu" ? "GELU" : "QuickGELU";
  const rest = `${shape.embedDim} dimensions, ${activation}, ${(shape.parameters / 1e6).toFixed(1)} million parameters`;
  const speed = imagesPerSecond === null ? "" : `: ${imagesPerSecond.toFixed(1)} decompositions a second`;
  const computed = precision === "fp32" ? precision : `${precision} approximation`;
  return `${model}\n${size}\n${rest}\n${computed} on ${device}${speed}`;
}

function checks({ checks }: Result): string {
  const rows = checks.map(({ name, status, result, meaning }) => ({
    row: [status.toUpperCase(), name, result],
    meaning,
  }));
  const lines = terminalTable(
    ["", "check", "measured"],
    rows.map(({ row }) => row),
  );
  return [lines[0], ...rows.flatMap(({ meaning }, i) => [lines[i + 1], `      ${meaning}`])].join("\n");
}

function guesses({ pictures, guesses }: Result): string {
  if (guesses.length === 0) return "";
  const rows = guesses.map(({ file, text, similarity, isTrue }) => [
    file,
    similarity.toFixed(3),
    text,
    isTrue ? "" : "wrong",
  ]);
  return terminalTable([`of the ${pictures}`, "#cosine", "best of its texts", ""], rows).join("\n");
}

function published({ published }: Result): string {
  if (!published) return "";
  const layers = new Map<string, string[]>();
  for (const { head, label } of published.heads) {
    const [layer] = head.split(".");
    layers.set(layer, [...(layers.get(layer) ?? []), label]);
  }
  const labels = [...layers].map(([layer, row]) => `${layer.padEnd(4)}${row.join(" · ")}`);
  const { high, moderate, low } = published.consistency;
  const printed = (value: number | null) => (value === null ? "not printed" : String(value));
  return [
    `Published for ${published.model} (head labels of the CLIP-InterpreT application, H0 first):`,
    ...labels,
    `Printed: entanglement ${printed(published.entanglement)}, association ${printed(published.association)}; heads of high, moderate and low consistency ${high}, ${moderate}, ${low}.`,
    `Of these labels as written, ${published.sharedLabels.toFixed(3)} are shared with another head. The printed values follow from the labels`,
    "under no rule that we tried, so they stand here as published, not confirmed. None of them was computed by this run.",
  ].join("\n");
}
