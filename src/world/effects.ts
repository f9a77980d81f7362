/** Photographic effects, applied in place to a finished square RGB picture; they look alike at every size. */

import { hash32 } from "../math/random.ts";
import type { Effect } from "./factors.ts";

const GRAIN_CELLS = 64;

/** Applies an effect to `rgb` (size × size × 3); `seed` feeds the grain. */
export function applyEffect(rgb: Uint8Array, size: number, effect: Effect, seed: number): void {
  switch (effect) {
    case "none":
      return;
    case "black and white":
      for (let i = 0; i < rgb.length; i += 3) {
        rgb.fill((rgb[i] * 77 + rgb[i + 1] * 150 + rgb[i + 2] * 29) >> 8, i, i + 3);
      }
      return;
    case "dark":
      for (let i = 0; i < rgb.length; i++) rgb[i] = (rgb[i] * 120) >> 8;
      return;
    case "faded":
      for (let i = 0; i < rgb.length; i++) rgb[i] = (rgb[i] * 96 + 205 * 160) >> 8;
      return;
    case "blurred":
      blur(rgb, size, 0.024 * size);
      return;
    case "grainy":
      addGrain(rgb, size, seed);
      return;
  }
}

/** Brightness noise on a fixed grid of cells, so that the grain is as coarse at any size. */
function addGrain(rgb: Uint8Array, size: number, seed: number): void {
  const base = hash32(seed);
  for (let y = 0; y < size; y++) {
    const cellY = Math.floor((y * GRAIN_CELLS) / size);
    for (let x = 0; x < size; x++) {
      const cell = cellY * GRAIN_CELLS + Math.floor((x * GRAIN_CELLS) / size);
      const noise = (hash32(base + cell) % 97) - 48;
      const at = (y * size + x) * 3;
      for (let c = at; c < at + 3; c++) rgb[c] = Math.min(255, Math.max(0, rgb[c] + noise));
    }
  }
}

/** Gaussian blur, rows then columns, edges repeated. */
function blur(rgb: Uint8Array, size: number, sigma: number): void {
  const reach = Math.ceil(2.5 * sigma);
  const weights = Array.from({ length: 2 * reach + 1 }, (_, k) =>
    Math.exp(-((k - reach) ** 2) / (2 * sigma * sigma)),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const line = new Uint8Array(size * 3);
  for (const [step, stride] of [
    [3, size * 3],
    [size * 3, 3],
  ]) {
    for (let row = 0; row < size; row++) {
      for (let k = 0; k < size; k++) {
        for (let c = 0; c < 3; c++) line[k * 3 + c] = rgb[row * stride + k * step + c];
      }
      for (let k = 0; k < size; k++) {
        for (let c = 0; c < 3; c++) {
          let sum = 0;
          for (let j = -reach; j <= reach; j++) {
            sum += weights[j + reach] * line[Math.min(size - 1, Math.max(0, k + j)) * 3 + c];
          }
          rgb[row * stride + k * step + c] = Math.round(sum / total);
        }
      }
    }
  }
}
