import { sampleOrigin } from "../../src/results/origin.fixture.ts";
import { headOf } from "../../src/results/shapes.ts";
import type { VerifyResult as Result } from "../../src/results/verify.ts";
import { verifyTerminal } from "../../src/views/verify/terminal.ts";
import type { Gallery } from "./picture.ts";

const plain: Result = {
  origin: sampleOrigin({ model: {} }),
  ...{ pictures: "scenes", imagesPerSecond: 12.34 },
  architecture: {
    ...{ layers: 4, heads: 8, headDim: 16, patchSize: 8, imageSize: 64, embedDim: 96 },
    ...{ activation: "quick_gelu", parameters: 3_240_000 },
  },
  checks: [
    { name: "sums", status: "pass", value: 1e-7, result: "1.0e-7", meaning: "the parts add up" },
    { name: "same bits", status: "pass", value: null, result: "yes", meaning: "twice the same" },
  ],
  guesses: [],
  published: null,
};
const full: Result = {
  ...plain,
  origin: sampleOrigin({ model: { name: "\u001b[31mevil\u202e\nPASS  forged", precision: "int8" } }),
  ...{ pictures: "photos", imagesPerSecond: null },
  architecture: { ...plain.architecture, activation: "gelu" },
  checks: [
    ...plain.checks,
    { name: "float32", status: "warn", value: 0.02, result: "0.02", meaning: "differs from float32" },
    { name: "zero-shot", status: "fail", value: 0.5, result: "1 of 2", meaning: "do not use it\nor else" },
  ],
  guesses: [
    { file: "cat.png", text: "a photo of a cat", similarity: 0.2871, isTrue: true },
    { file: "dog.png", text: "\u001b[2Ja photo of a car", similarity: -0.014, isTrue: false },
  ],
  published: {
    ...{ model: "ViT-B-32", source: "a paper", sharedLabels: 0.5, entanglement: 0.479, association: null },
    heads: [
      { ...headOf(10, 0), label: "colour" },
      { ...headOf(10, 1), label: "animals" },
      { ...headOf(9, 0), label: "colour" },
    ],
    consistency: { high: 12, moderate: 20, low: 3 },
  },
};

export const verify: Gallery = {
  title: "Checks of a model",
  pictures: [
    {
      name: "verify/pass.txt",
      shows: "a model that passes, with nothing published about it",
      draw: () => verifyTerminal(plain),
    },
    {
      name: "verify/fail.txt",
      shows:
        "an approximation that fails, its guesses, and labels that were published; names hold no commands",
      draw: () => verifyTerminal(full),
    },
  ],
};
