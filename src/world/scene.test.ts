import { describe, expect, it } from "vitest";
import { CONCEPTS, GROUPS } from "./concepts.ts";
import { BACKGROUND_NAMES, EFFECTS, HELD_OUT_STYLE, POSITIONS, SIZES, STYLES } from "./factors.ts";
import { type Scene, sampleScene } from "./scene.ts";

const scenes = Array.from({ length: 3000 }, (_, index) => sampleScene("demo", index));
const valuesOf = (factor: (scene: Scene) => unknown) => new Set(scenes.map(factor));

describe("the world's lists", () => {
  it("have 250 concepts with distinct names, and a group for every one", () => {
    expect(CONCEPTS.length).toBe(250);
    expect(new Set(CONCEPTS.map(({ name }) => name)).size).toBe(CONCEPTS.length);
    expect(new Set(CONCEPTS.map(({ icon }) => icon)).size).toBe(CONCEPTS.length);
    expect(new Set(CONCEPTS.map(({ group }) => group))).toEqual(new Set(GROUPS.map(({ name }) => name)));
  });
});

describe("sampleScene", () => {
  it("gives the same scene for the same split and index, and another for another", () => {
    expect(sampleScene("demo", 5)).toEqual(scenes[5]);
    expect(sampleScene("train", 5)).not.toEqual({ ...scenes[5], split: "train" });
    expect(sampleScene("demo", 6)).not.toEqual({ ...scenes[5], index: 6 });
  });

  it("reaches every value of every factor, and never the held-out style", () => {
    expect(valuesOf((scene) => scene.objects[0].concept).size).toBe(CONCEPTS.length);
    expect(valuesOf((scene) => scene.background).size).toBe(BACKGROUND_NAMES.length);
    expect(valuesOf((scene) => scene.effect).size).toBe(EFFECTS.length);
    expect(valuesOf((scene) => scene.position).size).toBe(POSITIONS.length + 1);
    expect(valuesOf((scene) => scene.count)).toEqual(new Set([1, 2, 3, 4, null]));
    expect(valuesOf((scene) => scene.style).size).toBe(STYLES.length - 1);
    expect(valuesOf((scene) => scene.style)).not.toContain(HELD_OUT_STYLE);
  });

  it("keeps every object inside the image, at the size that the record names, and apart from the others", () => {
    for (const { objects, size } of scenes) {
      for (const { x, y, scale } of objects) {
        for (const centre of [x, y]) {
          expect(centre).toBeGreaterThanOrEqual(scale / 2 - 1e-3);
          expect(centre).toBeLessThanOrEqual(1 - scale / 2 + 1e-3);
        }
        if (size !== null) {
          expect(scale).toBeGreaterThanOrEqual(SIZES[size][0]);
          expect(scale).toBeLessThanOrEqual(SIZES[size][1]);
        }
      }
      const [first, second] = objects;
      if (second !== undefined) {
        expect(Math.hypot(first.x - second.x, first.y - second.y)).toBeGreaterThan(0.95 * first.scale);
      }
    }
  });

  it("gives every scene a colour that a byte can hold", () => {
    const values = scenes.flatMap(({ colour }) => colour);
    expect([Math.min(...values) >= 0, Math.max(...values) <= 255]).toEqual([true, true]);
  });

  it("gives a factor exactly to the scenes that have it", () => {
    for (const scene of scenes) {
      const concepts = new Set(scene.objects.map(({ concept }) => concept));
      expect(scene.arrangement !== null).toBe(concepts.size === 2);
      expect(scene.count).toBe(concepts.size === 2 ? null : scene.objects.length);
      expect(scene.size !== null).toBe(scene.count === 1);
      expect(scene.position !== null).toBe(scene.count === 1 && scene.size !== "large");
    }
  });
});
