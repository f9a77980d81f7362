import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { CONCEPTS } from "./concepts.ts";
import { type Position, STYLES } from "./factors.ts";
import { render, renderMasks } from "./render.ts";
import { type Scene, sampleScene } from "./scene.ts";
import { resample, Sprites } from "./sprites.ts";

let sprites: Sprites;
beforeAll(async () => {
  sprites = await Sprites.load(undefined, 128);
});

const scenes = Array.from({ length: 400 }, (_, index) => sampleScene("demo", index));

/** The centre of mass of a mask, in shares of the image's side. */
function centroid(mask: Uint8Array, size: number): [number, number] {
  let [mass, x, y] = [0, 0, 0];
  mask.forEach((alpha, i) => {
    mass += alpha;
    x += alpha * ((i % size) + 0.5);
    y += alpha * (Math.floor(i / size) + 0.5);
  });
  return [x / mass / size, y / mass / size];
}

function nearestPosition(x: number, y: number): Position {
  const [dx, dy] = [x - 0.5, y - 0.5];
  if (Math.hypot(dx, dy) < 0.11) return "centre";
  if (Math.abs(dx) > Math.abs(dy)) return dx < 0 ? "left" : "right";
  return dy < 0 ? "top" : "bottom";
}

const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe("sprites", () => {
  it("exist for every concept in every style, and fill their square in one direction", () => {
    for (const style of STYLES) {
      for (const concept of CONCEPTS) {
        const { rgba, size } = sprites.get(style.name, concept.name, 32);
        const rows = Array.from({ length: size }, (_, y) => rgba.subarray(y * size * 4, (y + 1) * size * 4));
        const opaque = (values: Uint8Array) => values.some((value, i) => i % 4 === 3 && value > 0);
        const column = (x: number) =>
          Uint8Array.from(rows.flatMap((row) => [...row.subarray(x * 4, x * 4 + 4)]));
        const high = opaque(rows[0]) && opaque(rows[size - 1]);
        const wide = opaque(column(0)) && opaque(column(size - 1));
        expect(high || wide, `${style.name} ${concept.name}`).toBe(true);
      }
    }
  });

  it("are resampled by area: a flat square stays what it is", () => {
    const flat = { size: 10, rgba: new Uint8Array(400).fill(77) };
    expect(new Set(resample(flat, 7).rgba)).toEqual(new Set([77]));
  });

  it("refuses a drawing that is not loaded", () => {
    expect(() => sprites.get("flat", "no such thing", 32)).toThrow(/no such thing/);
  });
});

describe("render", () => {
  it("gives the same bytes for the same seed, whatever was drawn before", async () => {
    const some = scenes.slice(0, 40).reverse();
    const again = await Sprites.forScenes(some, 128);
    for (const scene of some) {
      expect(digest(render(scene, 64, again).rgb)).toBe(digest(render(scene, 64, sprites).rgb));
    }
  });

  it("draws the same picture at every size", () => {
    for (const scene of scenes.slice(0, 60).filter(({ effect }) => effect !== "grainy")) {
      const [small, large] = [render(scene, 64, sprites).rgb, render(scene, 128, sprites).rgb];
      let difference = 0;
      for (let i = 0; i < small.length; i++) {
        const [pixel, c] = [Math.floor(i / 3), i % 3];
        const [x, y] = [2 * (pixel % 64), 2 * Math.floor(pixel / 64)];
        const at = (dx: number, dy: number) => large[((y + dy) * 128 + x + dx) * 3 + c];
        difference += Math.abs(small[i] - (at(0, 0) + at(1, 0) + at(0, 1) + at(1, 1)) / 4);
      }
      expect(difference / small.length).toBeLessThan(9);
    }
  });

  it("leaves the background alone where no mask covers it", () => {
    const plain = (scene: Scene) => scene.effect === "none" && scene.backdrop === "plain";
    for (const scene of scenes.filter(plain)) {
      const { rgb } = render(scene, 64, sprites);
      const masks = renderMasks(scene, 64, sprites);
      let touched = 0;
      for (let i = 0; i < 64 * 64; i++) {
        const bare = masks.every((mask) => mask[i] === 0);
        if (bare && scene.colour.some((value, c) => rgb[i * 3 + c] !== value)) touched++;
      }
      expect(touched).toBe(0);
    }
  });
});

describe("renderMasks", () => {
  it("gives one mask an object, each with something to see and near where the record puts it", () => {
    for (const scene of scenes) {
      const masks = renderMasks(scene, 64, sprites);
      expect(masks.length).toBe(scene.objects.length);
      masks.forEach((mask, i) => {
        const [x, y] = centroid(mask, 64);
        const object = scene.objects[i];
        expect(mask.filter((alpha) => alpha > 127).length).toBeGreaterThan(20);
        expect(Math.hypot(x - object.x, y - object.y)).toBeLessThan(0.3 * object.scale);
      });
    }
  });

  it("never covers a pixel more than once over", () => {
    for (const scene of scenes) {
      const masks = renderMasks(scene, 64, sprites);
      const total = (i: number) => masks.reduce((sum, mask) => sum + mask[i], 0);
      const most = masks[0].reduce((highest, _, i) => Math.max(highest, total(i)), 0);
      expect(most).toBeLessThanOrEqual(256);
    }
  });

  it("lies where the position factor says", () => {
    const positioned = scenes.filter(({ position }) => position !== null);
    const agreeing = positioned.filter((scene) => {
      const [x, y] = centroid(renderMasks(scene, 64, sprites)[0], 64);
      return nearestPosition(x, y) === scene.position;
    });
    expect(positioned.length).toBeGreaterThan(80);
    expect(agreeing.length / positioned.length).toBeGreaterThan(0.97);
  });
});
