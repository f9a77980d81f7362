/** Draws a scene at any size. */

import { hash32 } from "../math/random.ts";
import { applyEffect } from "./effects.ts";
import { type Scene, type SceneObject, sceneSeed } from "./scene.ts";
import type { Sprite, Sprites } from "./sprites.ts";

/** A square RGB picture. */
export interface Picture {
  readonly size: number;
  readonly rgb: Uint8Array;
}

/** The picture of a scene; with `into`, its bytes are written there. */
export function render(scene: Scene, size: number, sprites: Sprites, into?: Uint8Array): Picture {
  const rgb = into ?? new Uint8Array(size * size * 3);
  paintBackground(rgb, size, scene);
  for (const object of scene.objects) {
    const { sprite, left, top } = place(scene, object, size, sprites);
    blit(rgb, size, sprite, left, top, object.mirrored);
  }
  applyEffect(rgb, size, scene.effect, hash32(sceneSeed(scene)) ^ scene.index);
  return { size, rgb };
}

/** How much of each pixel (0–255) each object covers, before any effect: one size × size mask per object. */
export function renderMasks(scene: Scene, size: number, sprites: Sprites): Uint8Array[] {
  const masks: Uint8Array[] = [];
  for (const object of scene.objects) {
    const { sprite, left, top } = place(scene, object, size, sprites);
    const mask = new Uint8Array(size * size);
    eachPixel(size, sprite, left, top, object.mirrored, (to, from) => {
      const alpha = sprite.rgba[from + 3];
      mask[to] = alpha;
      for (const under of masks) under[to] = Math.round((under[to] * (255 - alpha)) / 255);
    });
    masks.push(mask);
  }
  return masks;
}

/** Which sprite an object is drawn with, and where its corner lies. Sizes are even, so that few are needed. */
function place(scene: Scene, object: SceneObject, size: number, sprites: Sprites) {
  const side = Math.max(2, 2 * Math.round((object.scale * size) / 2));
  const sprite = sprites.get(scene.style, object.concept, side);
  return {
    sprite,
    left: Math.round(object.x * size - side / 2),
    top: Math.round(object.y * size - side / 2),
  };
}

/** Fills the picture with the scene's colour, or with a run from a lighter to a darker shade of it. */
function paintBackground(rgb: Uint8Array, size: number, scene: Scene): void {
  if (scene.backdrop === "plain") {
    const [r, g, b] = scene.colour;
    for (let i = 0; i < rgb.length; i += 3) {
      rgb[i] = r;
      rgb[i + 1] = g;
      rgb[i + 2] = b;
    }
    return;
  }
  const shades = scene.colour.map((value) => [value + (255 - value) * 0.3, value * 0.68]);
  const angle = scene.gradientTurn * 2 * Math.PI;
  const [dx, dy] = [Math.cos(angle), Math.sin(angle)];
  const span = Math.abs(dx) + Math.abs(dy);
  for (let y = 0, at = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const t = 0.5 + (((x + 0.5) / size - 0.5) * dx + ((y + 0.5) / size - 0.5) * dy) / span;
      for (let c = 0; c < 3; c++) rgb[at++] = shades[c][0] + (shades[c][1] - shades[c][0]) * t;
    }
  }
}

/** Lays a premultiplied sprite over the picture. */
function blit(
  rgb: Uint8Array,
  size: number,
  sprite: Sprite,
  left: number,
  top: number,
  mirrored: boolean,
): void {
  const { rgba } = sprite;
  eachPixel(size, sprite, left, top, mirrored, (to, from) => {
    const keep = 255 - rgba[from + 3];
    const at = to * 3;
    rgb[at] = (rgba[from] + (rgb[at] * keep + 127) / 255) | 0;
    rgb[at + 1] = (rgba[from + 1] + (rgb[at + 1] * keep + 127) / 255) | 0;
    rgb[at + 2] = (rgba[from + 2] + (rgb[at + 2] * keep + 127) / 255) | 0;
  });
}

/** Visits the picture's pixels that a sprite covers, with their index there and the sprite's byte offset. */
function eachPixel(
  size: number,
  sprite: Sprite,
  left: number,
  top: number,
  mirrored: boolean,
  visit: (to: number, from: number) => void,
): void {
  const side = sprite.size;
  for (let y = Math.max(0, -top); y < Math.min(side, size - top); y++) {
    for (let x = Math.max(0, -left); x < Math.min(side, size - left); x++) {
      const from = (y * side + (mirrored ? side - 1 - x : x)) * 4;
      if (sprite.rgba[from + 3] !== 0) visit((y + top) * size + x + left, from);
    }
  }
}
