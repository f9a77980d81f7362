import { describe, expect, it } from "vitest";
import { Random } from "../math/random.ts";
import { candidates } from "./candidates.ts";
import { caption, EFFECT_WORDS, POSITION_PHRASES } from "./captions.ts";
import { CONCEPTS, conceptNamed, GROUPS, groupNamed } from "./concepts.ts";
import { BACKGROUND_NAMES, EFFECTS, POSITIONS, SIZE_NAMES, STYLES } from "./factors.ts";
import { factorPrompts } from "./prompts.ts";
import { recordOf } from "./record.ts";
import { sampleScene } from "./scene.ts";

const scenes = Array.from({ length: 2000 }, (_, index) => sampleScene("demo", index));
const captions = scenes.flatMap((scene) => {
  const random = new Random(1, scene.index);
  return Array.from({ length: 4 }, () => ({ scene, ...caption(scene, random) }));
});

/** Whether a text holds a phrase as whole words. */
const holds = (text: string, phrase: string) => anyOf(text, [phrase]);
function anyOf(text: string, phrases: readonly string[]): boolean {
  const words = ` ${text.replaceAll(",", "")} `;
  return phrases.some((phrase) => words.includes(` ${phrase} `));
}
const wordsOf = (concept: string) => [concept, conceptNamed(concept).plural];

describe("captions", () => {
  it("hold a word for everything that they claim to say", () => {
    for (const { scene, text, says } of captions) {
      const [first, second] = scene.objects.map(({ concept }) => concept);
      const { name, one, many } = groupNamed(conceptNamed(first).group);
      const words: Record<string, readonly string[]> = {
        concept: wordsOf(first),
        other: second === undefined ? [] : wordsOf(second),
        group: [name, one.replace(/^an? /, ""), many],
        style: [scene.style],
        position: scene.position === null ? [] : POSITION_PHRASES[scene.position],
        background: [scene.background],
        backdrop: scene.backdrop === "graded" ? ["graded", "gradient"] : [scene.backdrop],
        effect: EFFECT_WORDS[scene.effect],
        size: scene.size === null ? [] : [scene.size],
      };
      for (const mention of says) {
        if (mention in words) expect(anyOf(text, words[mention]), `${mention} in '${text}'`).toBe(true);
      }
    }
  });

  it("hold no word for a value that the scene does not have", () => {
    for (const { scene, text } of captions) {
      const own = new Set(scene.objects.map(({ concept }) => concept));
      const strangers = CONCEPTS.filter(
        ({ name }) => !own.has(name) && ![...own].some((o) => holds(o, name)),
      );
      expect(
        anyOf(
          text,
          strangers.flatMap(({ name, plural }) => [name, plural]),
        ),
        text,
      ).toBe(false);
      // "black" and "white" may be in the name of an effect.
      expect(
        anyOf(
          text,
          BACKGROUND_NAMES.filter((n) => n !== scene.background && n !== "black" && n !== "white"),
        ),
        text,
      ).toBe(false);
      expect(
        anyOf(
          text,
          STYLES.map(({ name }) => name).filter((n) => n !== scene.style),
        ),
        text,
      ).toBe(false);
      expect(
        anyOf(
          text,
          SIZE_NAMES.filter((n) => n !== scene.size),
        ),
        text,
      ).toBe(false);
      const elsewhere = POSITIONS.filter((p) => p !== scene.position).flatMap((p) => POSITION_PHRASES[p]);
      expect(anyOf(text, elsewhere), text).toBe(false);
      const effects = EFFECTS.filter((e) => e !== scene.effect).flatMap((e) => EFFECT_WORDS[e]);
      expect(anyOf(text, effects), text).toBe(false);
    }
  });

  it("never name a colour that black and white has removed", () => {
    for (const { text } of captions.filter(({ scene }) => scene.effect === "black and white")) {
      expect(anyOf(text.replace("black and white", ""), BACKGROUND_NAMES), text).toBe(false);
    }
  });

  it("mention the position often: in at least a third of the captions of scenes that have one", () => {
    const positioned = captions.filter(({ scene }) => scene.position !== null);
    const mentioning = positioned.filter(({ says }) => says.includes("position"));
    expect(mentioning.length / positioned.length).toBeGreaterThan(1 / 3);
  });

  it("count in words that agree with the record", () => {
    const numbers = ["one", "two", "three", "four"];
    for (const { scene, text } of captions) {
      const said = numbers.findIndex((word) => holds(text, word)) + 1;
      if (said > 0) expect(said, text).toBe(scene.count);
    }
  });
});

describe("records", () => {
  it("are the same every time, and carry the group of every object", () => {
    for (const scene of scenes.slice(0, 50)) {
      expect(recordOf(scene, 4)).toEqual(recordOf(scene, 4));
      expect(recordOf(scene, 4).groups.length).toBe(scene.objects.length);
    }
  });
});

describe("candidates", () => {
  it("have no text on both sides, and name the scene's concept among the true ones", () => {
    for (const scene of scenes.slice(0, 300)) {
      const { isTrue, isFalse } = candidates(scene);
      expect(isTrue.filter((text) => isFalse.includes(text))).toEqual([]);
      expect(anyOf(isTrue[0], wordsOf(scene.objects[0].concept))).toBe(true);
    }
  });
});

describe("prompts", () => {
  it("name every value of every factor, each in texts of its own", () => {
    const prompts = factorPrompts();
    expect(prompts.concept.map(({ value }) => value)).toEqual(CONCEPTS.map(({ name }) => name));
    expect(prompts.group.map(({ value }) => value)).toEqual(GROUPS.map(({ name }) => name));
    for (const values of Object.values(prompts)) {
      const texts = values.flatMap((value) => value.texts);
      expect(new Set(texts).size).toBe(texts.length);
    }
  });
});
