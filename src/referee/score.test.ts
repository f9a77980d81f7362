import { describe, expect, it } from "vitest";
import {
  always,
  FACTORS,
  guess,
  listed,
  often,
  perfect,
  resultOf,
  type Says,
  SETTINGS,
  saidOf,
} from "./referee.fixture.ts";

const methodOf = (result: ReturnType<typeof resultOf>, key: string) =>
  result.methods.find((method) => method.key === key)!;

describe("a method on the bench", () => {
  const says = { perfect, always, guess };
  const said = [saidOf("a", 1, says), saidOf("a-s2", 2, says), saidOf("b", 3, says)];
  const methods = Object.keys(says).map((key) => listed(key));
  const result = resultOf(said, methods);
  const heads = said.flatMap(({ model }) => model.heads);
  const most = Math.max(...FACTORS.map((factor) => heads.filter(({ best }) => best === factor).length));

  it("that knows all scores 1, and beats one label for all", () => {
    const { accuracy, verdict, images, texts, causal } = methodOf(result, "perfect");
    expect(accuracy).toMatchObject({ share: 1, right: 48, heads: 48, captured: 1 });
    expect(accuracy!.byModel.map(({ right }) => right)).toEqual([16, 16, 16]);
    expect(verdict).toBe("beats one label for all");
    expect(images?.mean).toBe(1);
    expect(texts?.mean).toBe(1);
    // A head's own factor loses what the fixture says it does: .05 more than the others and than other heads on average.
    expect(causal!.own - causal!.others).toBeGreaterThan(0.045);
    expect(causal!.own).toBeGreaterThan(causal!.peers + 0.02);
    expect(causal).toMatchObject({ heads: 48, more: 48, less: 0 });
    expect(causal!.pHolm).toBeLessThan(0.05);
  });

  it("that always says the commonest factor scores exactly its share, and is not told from chance", () => {
    expect(result.constant).toEqual({ label: result.constant.label, right: most, heads: 48 });
    const bound = methodOf(result, "constant");
    expect(bound.accuracy!.right).toBe(most);
    expect(bound.accuracy!.share).toBe(most / 48);
    expect(bound.accuracy!.layeredP).toBe(1);
    expect(bound.causal!.p).toBe(1);
    // Whose labels are all the same has nothing to deal out.
    expect(methodOf(result, "always").verdict).toBe("not told from chance");
  });

  it("is ordered by how many heads it is right for, with bounds and what did not run last", () => {
    expect(result.methods.map(({ key }) => key)[0]).toBe("perfect");
    expect(result.methods.map(({ key }) => key).slice(-2)).toEqual(["constant", "llm"]);
    expect(methodOf(result, "llm")).toMatchObject({ accuracy: null, notRun: "no --llm-url was given" });
    expect(methodOf(result, "perfect").behind).toBeNull();
    const { ahead, back, p } = methodOf(result, "guess").behind!;
    expect(ahead).toBe(48 - methodOf(result, "guess").accuracy!.right);
    expect(back).toBe(0);
    expect(p).toBeLessThan(0.001);
  });

  it("is corrected for the number of methods; bounds are none", () => {
    const alone = resultOf(
      said,
      methods.filter(({ key }) => key === "perfect"),
    );
    const one = methodOf(alone, "perfect");
    expect(one.layeredPHolm).toBe(one.accuracy!.layeredP);
    expect(methodOf(result, "perfect").layeredPHolm).toBeCloseTo(3 * one.accuracy!.layeredP!, 12);
    expect(methodOf(result, "constant").layeredPHolm).toBeNull();
    const bounded = resultOf(said, [listed("perfect"), listed("guess", "upper")]);
    expect(methodOf(bounded, "perfect").layeredPHolm).toBe(one.accuracy!.layeredP);
    expect(bounded.methods[0].key).toBe("guess");
  });

  it("gains nothing by saying nothing of hard heads", () => {
    const shy: Says = (best) => (best === "animal" ? best : null);
    const found = methodOf(resultOf([saidOf("a", 1, { shy })], [listed("shy")]), "shy");
    const own = saidOf("a", 1, { shy }).model.heads.filter(({ best }) => best === "animal").length;
    expect(found.accuracy).toMatchObject({ right: own, heads: 16 });
    expect(found.causal!.heads).toBe(own);
  });

  it("is judged only over models that it speaks of", () => {
    const [one, two] = [saidOf("a", 1, { perfect }), saidOf("b", 2, {})];
    const { accuracy } = methodOf(resultOf([one, two], [listed("perfect")]), "perfect");
    expect(accuracy).toMatchObject({ heads: 16, share: 1, trainings: null });
  });

  it("that fits layers alone is not told from chance within layers", () => {
    const byLayer = (_: unknown, layer: number) => FACTORS[layer];
    const layers: Says = (_, random, layer) => (random.chance(0.7) ? FACTORS[layer] : random.pick(FACTORS));
    const models = [1, 2, 3].map((seed) => saidOf(`m${seed}`, seed, { layers }, byLayer));
    const { accuracy, verdict } = methodOf(resultOf(models, [listed("layers")]), "layers");
    expect(accuracy!.permutedP).toBeLessThan(0.05);
    expect(accuracy!.layeredP).toBeGreaterThan(0.05);
    expect(verdict).toBe("not told from chance");
  });

  it("judged by other images stands beside their truth", () => {
    const [one] = said;
    const turned = one.model.heads.map(({ name, shares }) => [name, [...shares].reverse()] as const);
    const images = [{ ...one.images[0], shares: new Map(turned) }];
    const found = methodOf(resultOf([{ ...one, images }], [listed("perfect")]), "perfect");
    expect(found.accuracy!.share).toBe(1);
    expect(found.images!.mean).toBe(0);
    expect(found.sameByImages).toBe(1);
  });

  it("gives matched heads of other seeds one label where it does", () => {
    const pairs = Array.from({ length: 16 }, (_, i) => {
      const head = `L${Math.floor(i / 4)}.H${i % 4}`;
      return [`${head} a`, `${head} twin`] as const;
    });
    const twins = [saidOf("a", 1, says), saidOf("twin", 1, says)];
    const found = resultOf(twins, methods, pairs);
    expect(methodOf(found, "perfect").matched).toMatchObject({ pairs: 16, same: 16 });
    expect(methodOf(found, "perfect").matched!.p).toBeLessThan(0.05);
    expect(methodOf(found, "always").matched).toMatchObject({ same: 16, p: 1 });
  });
});

it("labels at random are called significant in 5 of 100 cases at most, by every test", () => {
  const runs = 100;
  const found = { permuted: 0, layered: 0, constant: 0, gain: 0, causal: 0, matched: 0, verdict: 0 };
  const lopsided: Says = (_, random) => (random.chance(0.5) ? "animal" : random.pick(FACTORS));
  // Right as often as one label for all is, of other heads.
  const equal: Says = (best, random) => (random.chance(0.55) ? best : null);
  const pairs = Array.from({ length: 16 }, (_, i) => {
    const head = `L${Math.floor(i / 4)}.H${i % 4}`;
    return [`${head} a`, `${head} a-s2`] as const;
  });
  for (let run = 0; run < runs; run++) {
    const said = ["a", "a-s2", "b"].map((name, m) =>
      saidOf(name, 1000 + 3 * run + m, { lopsided, equal }, (random) =>
        random.chance(0.4) ? "animal" : random.pick(FACTORS),
      ),
    );
    const result = resultOf(said, [listed("lopsided"), listed("equal")], pairs, {
      ...SETTINGS,
      permutations: 99,
      seed: run,
    });
    const { accuracy, causal, matched, verdict } = methodOf(result, "lopsided");
    if (accuracy!.permutedP! <= 0.05) found.permuted++;
    if (accuracy!.layeredP! <= 0.05) found.layered++;
    const beside = methodOf(result, "equal").accuracy!;
    if (beside.constantP! <= 0.05) found.constant++;
    if (beside.gainP! <= 0.05 && beside.gain!.mean > 0) found.gain++;
    if (causal!.p! <= 0.05) found.causal++;
    if (matched!.p! <= 0.05) found.matched++;
    if (verdict !== "not told from chance") found.verdict++;
  }
  // Where 5 % is true, more than ten of a hundred would come up once in eighty-seven such tests.
  for (const count of Object.values(found)) expect(count).toBeLessThanOrEqual(10);
});

it("labels that are often right beat one label for all once there are trainings enough", () => {
  const verdictOf = (models: number) => {
    const said = Array.from({ length: models }, (_, i) => saidOf(`m${i}`, i + 1, { half: often(0.6) }));
    return methodOf(resultOf(said, [listed("half")]), "half").verdict;
  };
  expect(verdictOf(8)).toBe("beats one label for all");
  expect(verdictOf(3)).toBe("beats it over these heads only");
  // Of one training nothing can be said about others.
  expect(methodOf(resultOf([saidOf("m", 1, { perfect })], [listed("perfect")]), "perfect")).toMatchObject({
    ...{ gainPHolm: null, verdict: "beats it over these heads only" },
  });
});
