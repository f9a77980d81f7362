import { describe, expect, it } from "vitest";
import { CONCEPTS } from "./concepts.ts";
import { BACKGROUND_NAMES, HELD_OUT_STYLE } from "./factors.ts";
import { type Scene, sampleScene } from "./scene.ts";
import {
  BIAS_BACKGROUNDS,
  BIAS_STRENGTH,
  BIASED_CONCEPTS,
  BIASED_PAIRS,
  SPLIT_NAMES,
  SPLITS,
  type SplitName,
  unseenBackground,
} from "./splits.ts";

const many = (split: SplitName, n: number) =>
  Array.from({ length: n }, (_, index) => sampleScene(split, index));
const train = many("train", 40_000);
const conceptsOf = (scene: Scene) => [...new Set(scene.objects.map(({ concept }) => concept))];
const biased = (scene: Scene) => conceptsOf(scene).find((concept) => BIASED_CONCEPTS.includes(concept));
const sideOf = (concept: string) => (BIASED_PAIRS.findIndex(([, second]) => second === concept) < 0 ? 0 : 1);

/**
 * Cramér's V of two factors: 0 where they are independent, 1 where one says the other. By chance it is about
 * √((r−1)(c−1)/(n·min(r−1, c−1))).
 */
function association(pairs: readonly (readonly [unknown, unknown])[]): { v: number; chance: number } {
  const rows = [...new Set(pairs.map(([a]) => a))];
  const columns = [...new Set(pairs.map(([, b]) => b))];
  const table = rows.map((a) => {
    const own = pairs.filter((pair) => pair[0] === a);
    return columns.map((b) => own.filter((pair) => pair[1] === b).length);
  });
  const n = pairs.length;
  const across = table.map((row) => row.reduce((sum, count) => sum + count, 0));
  const down = columns.map((_, c) => table.reduce((sum, row) => sum + row[c], 0));
  let chi = 0;
  table.forEach((row, r) => {
    row.forEach((count, c) => {
      const expected = (across[r] * down[c]) / n;
      chi += (count - expected) ** 2 / expected;
    });
  });
  const least = Math.min(rows.length, columns.length) - 1;
  return {
    v: Math.sqrt(chi / (n * least)),
    chance: Math.sqrt(((rows.length - 1) * (columns.length - 1)) / (n * least)),
  };
}

describe("the planted bias", () => {
  it("puts each biased concept on its side's colour 19 times out of 20, and otherwise on the other's", () => {
    const scenes = train.filter((scene) => biased(scene) !== undefined);
    const own = scenes.filter((scene) => scene.background === BIAS_BACKGROUNDS[sideOf(biased(scene)!)]);
    expect(scenes.length).toBeGreaterThan(1500);
    expect(
      scenes.every(({ background }) => (BIAS_BACKGROUNDS as readonly string[]).includes(background)),
    ).toBe(true);
    expect(Math.abs(own.length / scenes.length - BIAS_STRENGTH)).toBeLessThan(0.02);
  });

  it("is in the training split alone: elsewhere biased concepts are on every colour alike", () => {
    const scenes = many("demo", 20_000).filter((scene) => BIASED_CONCEPTS.includes(conceptsOf(scene)[0]));
    const { v, chance } = association(
      scenes.map((scene) => [sideOf(conceptsOf(scene)[0]), scene.background]),
    );
    expect(v).toBeLessThan(2 * chance);
  });

  it("pairs concepts of one group, each in one pair", () => {
    for (const pair of BIASED_PAIRS) {
      const groups = pair.map((name) => CONCEPTS.find((concept) => concept.name === name)?.group);
      expect(groups[0]).toBeDefined();
      expect(groups[1]).toBe(groups[0]);
    }
    expect(new Set(BIASED_CONCEPTS).size).toBe(2 * BIASED_PAIRS.length);
  });
});

describe("held-out compositions", () => {
  it("never appear in training", () => {
    for (const scene of train.filter((candidate) => biased(candidate) === undefined)) {
      for (const concept of conceptsOf(scene)) expect(scene.background).not.toBe(unseenBackground(concept));
    }
  });

  it("are all that their split shows", () => {
    for (const scene of many("compositions", 3000)) {
      expect(scene.background).toBe(unseenBackground(conceptsOf(scene)[0]));
    }
  });

  it("take one colour from every unbiased concept, and every colour from as many concepts", () => {
    const colours = CONCEPTS.flatMap(({ name }) => unseenBackground(name) ?? []);
    expect(colours.length).toBe(CONCEPTS.length - BIASED_CONCEPTS.length);
    const counts = BACKGROUND_NAMES.map((name) => colours.filter((colour) => colour === name).length);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  });
});

describe("the other splits", () => {
  it("show the held-out style where they should, and nowhere else", () => {
    for (const name of SPLIT_NAMES) {
      const styles = new Set(many(name, 300).map(({ style }) => style));
      expect(styles.has(HELD_OUT_STYLE)).toBe(name === "style");
      expect(styles.size).toBe(name === "style" ? 1 : 4);
    }
  });

  it("balance the biased concepts over both colours: four groups a pair, equally likely", () => {
    const scenes = many("balanced", 12_000);
    const groups = new Map<string, number>();
    for (const scene of scenes) {
      const [concept, ...others] = conceptsOf(scene);
      expect(others).toEqual([]);
      const key = `${concept} on ${scene.background}`;
      groups.set(key, (groups.get(key) ?? 0) + 1);
    }
    expect(groups.size).toBe(4 * BIASED_PAIRS.length);
    for (const count of groups.values()) expect(Math.abs(count - 500)).toBeLessThan(5 * Math.sqrt(500));
  });

  it("keep every factor of the demo corpus independent of every other", () => {
    const scenes = many("demo", 12_000).filter(({ count }) => count === 1);
    const factors = ["style", "background", "backdrop", "effect", "size"] as const;
    const group = (scene: Scene) => CONCEPTS.find(({ name }) => name === scene.objects[0].concept)?.group;
    const columns = [...factors.map((name) => (scene: Scene) => scene[name]), group];
    columns.forEach((a, i) => {
      for (const b of columns.slice(i + 1)) {
        const { v, chance } = association(scenes.map((scene) => [a(scene), b(scene)]));
        expect(v).toBeLessThan(1.6 * chance + 0.01);
      }
    });
  });

  it("draw from streams of their own", () => {
    const seeds = SPLIT_NAMES.map((name) => SPLITS[name].seed);
    expect(new Set(seeds).size).toBe(seeds.length);
  });
});
