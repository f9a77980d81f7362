import { QueryObserver } from "@tanstack/react-query";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { headName, writtenSet } from "../../../src/model/components.ts";
import { SCORINGS } from "../../../src/results/scoring.ts";
import type { Head } from "../../../src/results/shapes.ts";
import { chosenOf, formatHeads, headsInWords, readHeads, toggled } from "./heads.ts";
import { commonest, follows, hitsInWords, isNoBetter, tourStops } from "./know.ts";
import { queryClient, renew } from "./queries.ts";
import { formatAddress, parseAddress, type ViewState, WITHOUT } from "./url.ts";
import { VIEWS } from "./views.ts";

const text = fc.string({ minLength: 1, maxLength: 30 }).filter((value) => value.trim() !== "");
const bound = fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0));
/** What only the atlas's addresses hold. */
const atlas = fc.record({
  head: fc.option(fc.tuple(fc.nat(99), fc.nat(99)).map(([layer, head]) => headName(layer, head))),
  sort: fc.option(text),
  up: fc.boolean(),
  knows: fc.option(text),
  find: fc.string({ maxLength: 20 }),
  only: fc.option(text),
  least: bound,
  most: bound,
  x: fc.option(text),
  y: fc.option(text),
  maps: fc.boolean(),
});
const NO_ATLAS = parseAddress("/look");
const state: fc.Arbitrary<ViewState> = fc
  .tuple(
    fc.record({
      view: fc.constantFrom(...VIEWS),
      report: fc.option(fc.stringMatching(/^[a-z0-9-]{1,20}$/)),
      model: fc.option(text),
      image: fc.option(text),
      texts: fc.option(fc.array(text, { maxLength: 5 })),
      on: fc.nat(9),
      heads: fc.string({ maxLength: 20 }).map(writtenSet),
      corpus: fc.option(text),
      against: fc.option(text),
      less: fc.boolean(),
      without: fc.constantFrom(...WITHOUT),
      mode: fc.constantFrom("topic", "contrast"),
      scale: fc.constantFrom("common", "own"),
      by: fc.constantFrom("property", "image", "text"),
      property: fc.option(text),
      query: fc.option(text),
      scoring: fc.constantFrom(null, ...SCORINGS),
      count: fc.integer({ min: 1, max: 64 }),
      seed: fc.nat(1000),
      opacity: fc.nat(100),
      squares: fc.boolean(),
      tour: fc.nat(3),
      embed: fc.boolean(),
    }),
    atlas,
  )
  .map(([rest, own]) => ({
    ...NO_ATLAS,
    ...rest,
    ...(rest.view !== "reports" && { report: null }),
    ...(rest.view === "heads" && own),
  }));

describe("the address", () => {
  it("holds every state, whatever is in it", () => {
    fc.assert(
      fc.property(state, (one) => {
        expect(parseAddress(formatAddress(one))).toEqual(one);
      }),
    );
  });

  it("is of one view alone with embed, with or without a value", () => {
    const of = (query: string) => parseAddress(`/look?${query}`).embed;
    expect(["embed", "text=a+cat&embed", "embed=1", "embed=0", "text=embed"].map(of)).toEqual([
      ...[true, true, true, false, false],
    ]);
  });

  it("names heads in one way, however they are written", () => {
    expect(parseAddress("/look?heads=(2,1),0.3*0.5,l1h2").heads).toBe("L2.H1,L0.H3*0.5,L1.H2");
  });

  it("is read whatever it says: what makes no sense is the default", () => {
    fc.assert(
      fc.property(fc.webQueryParameters(), (query) => {
        const read = parseAddress(`/nothing?${query}&opacity=999&k=-1&mode=x&tour=9`);
        expect(read).toMatchObject({ view: "look", opacity: 100, count: 8, mode: "topic", tour: 0 });
      }),
    );
    expect(formatAddress(parseAddress("/"))).toBe("look");
    expect(parseAddress("/some/where/segment").view).toBe("segment");
    expect(parseAddress("/heads/look")).toMatchObject({ view: "look", head: null });
    expect(parseAddress("/some/where/heads/L3.H1")).toMatchObject({ view: "heads", head: "L3.H1" });
    expect(parseAddress("/heads/L3.H1x")).toMatchObject({ head: null });
  });
});

const headOf = (layer: number, head: number): Head => ({ layer, head, name: headName(layer, head) });
const sizes = { layers: 3, heads: 4 };
const weight = fc.constantFrom(1, 1, 1, -1, 0.5, 0);
const chosen = fc
  .uniqueArray(fc.tuple(fc.nat(11), weight), { selector: ([unit]) => unit })
  .map((pairs) => new Map(pairs));
const unitsOf = (text: string, properties: Parameters<typeof readHeads>[2] = []) => [
  ...readHeads(text, sizes, properties).chosen.keys(),
];

describe("chosen heads", () => {
  it("are written so that they are read back, weights too", () => {
    fc.assert(
      fc.property(chosen, (set) => {
        const read = readHeads(formatHeads(set, sizes), sizes);
        expect(read.problem).toBeNull();
        expect(new Map([...read.chosen].sort(([a], [b]) => a - b))).toEqual(
          new Map([...set].sort(([a], [b]) => a - b)),
        );
      }),
    );
    expect(formatHeads(chosenOf([0, 1, 2, 3, 9]), sizes)).toBe("L0,L2.H1");
    expect(formatHeads(readHeads("last2*0.5, L0.H1*-1", sizes).chosen, sizes)).toBe("L0.H1*-1,L1*0.5,L2*0.5");
  });

  it("come from properties and layers", () => {
    const heads = [{ ...headOf(2, 3), weight: 1 }];
    const properties = [{ name: "colour", source: "label", precision: null, heads }] as const;
    const given = properties.map((one) => ({ ...one, heads: [...one.heads] }));
    expect(unitsOf("colour", given)).toEqual([11]);
    expect(unitsOf("last1")).toEqual([8, 9, 10, 11]);
    expect(unitsOf("(2,3), 0.1,l1h0")).toEqual([1, 4, 11]);
  });

  it("that cannot be read are a problem, and not all heads", () => {
    for (const wrong of ["L9.H9", "colour", "L0.H0*x", "mlps", "L1.H0,L1*2", "L0.H0,".repeat(1000)]) {
      const { chosen: none, problem } = readHeads(wrong, sizes);
      expect([none.size, typeof problem]).toEqual([0, "string"]);
    }
    expect(readHeads("", sizes).problem).toBeNull();
    expect(readHeads("all,mlps", sizes, [], { mlps: true })).toMatchObject({ problem: null });
  });

  it("go in together, and out when all were in; weights stay", () => {
    expect([...toggled(chosenOf([1]), [1, 2]).keys()]).toEqual([1, 2]);
    expect([...toggled(chosenOf([1, 2, 3]), [1, 2]).keys()]).toEqual([3]);
    expect(toggled(new Map([[1, -1]]), [1, 2])).toEqual(
      new Map([
        [1, -1],
        [2, 1],
      ]),
    );
  });

  it("have words", () => {
    expect(headsInWords(new Map(), sizes)).toBe("all 12 heads");
    expect(headsInWords(chosenOf([6]), sizes)).toBe("head L1.H2");
    expect(headsInWords(new Map([[6, -1]]), sizes)).toBe("head L1.H2 (weight −1)");
    expect(headsInWords(chosenOf([6, 7]), sizes)).toBe("2 heads");
  });
});

describe("what is known", () => {
  /** Heads of one factor each, and how the pictures nearest through them share it: 0.1 by chance. */
  const measured = (
    given: readonly {
      head: Head;
      factor: string;
      share: number;
      sign?: 1 | -1;
      first?: number;
      last?: number;
      mean?: number;
    }[],
    found: Readonly<Record<string, number>> = {},
  ) => {
    const names = [...new Set(given.map(({ factor }) => factor))];
    const nothing = { explained: 0, share: 0, chance: 0, highestByChance: 0, p: 1, sign: null, margin: null };
    const of = (head: Head) =>
      names.map((name) => {
        const own = given.find((one) => one.head.name === head.name && one.factor === name);
        if (!own) return nothing;
        const { share, sign = 1, first = 0.2, last = 0.2, mean = 0.1 * sign } = own;
        return {
          ...nothing,
          share,
          explained: share,
          p: 0,
          sign,
          margin: { mean, low: mean, high: mean, first, last },
        };
      });
    const heads = [...new Map(given.map(({ head }) => [head.name, head])).values()];
    const lead = { mean: 0.3, low: 0.3, high: 0.3, first: 1, last: 0 };
    return {
      selectivity: {
        factors: names.map((name) => ({ name, values: 5, images: 90, texts: [], unsigned: null })),
        heads: heads.map((head) => ({ ...head, factors: of(head) })),
        embedding: { factors: names.map(() => ({ ...nothing, p: 0, sign: 1 as const, margin: lead })) },
      },
      retrieval: {
        ...{ k: 8, scoring: "centred" as const },
        factors: names.map((name) => ({ name, queries: 9, chance: 0.1 })),
        rows: given
          .filter(({ factor }, i) => given.findIndex((one) => one.factor === factor) === i)
          .map(({ head, factor }) => ({
            chosenFor: factor,
            hubness: { never: 0, most: 9, skewness: 0 },
            heads: [{ ...head, weight: 1 }],
            precisionAtK: names.map((name) => {
              const mean = name === factor ? (found[factor] ?? 0.6) : 0.1;
              return { mean, low: mean - 0.05, high: mean + 0.05 };
            }),
          })),
      },
    };
  };
  const rolesOf = (given: ReturnType<typeof measured>) =>
    tourStops(given).map(({ head, factor, role }) => [head, factor, role]);

  it("the tour visits the clearest heads, by what each follows most, none twice, and none through which nothing is found", () => {
    const given = measured(
      [
        { head: headOf(0, 0), factor: "a", share: 0.5 },
        { head: headOf(0, 0), factor: "b", share: 0.9 },
        { head: headOf(1, 0), factor: "c", share: 0.7 },
        { head: headOf(1, 1), factor: "d", share: 0.6 },
        { head: headOf(1, 2), factor: "e", share: 0.8 },
      ],
      { c: 0.12 },
    );
    expect(rolesOf(given)).toEqual([
      ["L0.H0", "b", "for"],
      ["L1.H2", "e", "for"],
      ["L1.H1", "d", "for"],
    ]);
  });

  it("the tour ends with a head that speaks against what it sees, and the one that makes up for it", () => {
    const given = measured([
      { head: headOf(2, 1), factor: "place", share: 0.9, sign: -1, first: 0.02, last: 0.86, mean: -0.08 },
      { head: headOf(2, 0), factor: "place", share: 0.1, first: 0.6, mean: 0.05 },
      { head: headOf(2, 3), factor: "place", share: 0.3, first: 0.9, mean: 0.1 },
      { head: headOf(0, 1), factor: "colour", share: 0.7 },
      { head: headOf(0, 2), factor: "count", share: 0.6 },
    ]);
    expect(rolesOf(given)).toEqual([
      ["L0.H1", "colour", "for"],
      ["L2.H1", "place", "against"],
      ["L2.H3", "place", "makes up"],
    ]);
    const [, against, makesUp] = tourStops(given);
    expect(against.own).toMatchObject({ last: 0.86, mean: -0.08 });
    expect(makesUp.nearest).toBeNull();
    // One that only sometimes gives the right text the lowest score is no discovery.
    given.selectivity.heads[0].factors[0].margin!.last = 0.4;
    expect(rolesOf(given).map(([, , role]) => role)).toEqual(["for", "for"]);
  });

  it("says what a head follows with its sign, and how well a property finds", () => {
    const given = measured([{ head: headOf(2, 1), factor: "place", share: 0.5, sign: -1 }]);
    const insights = { selectivity: { ...given.selectivity, images: 90, permutations: 5, mlps: [] } };
    expect(follows(insights, "L2.H1")).toEqual([{ factor: "place", share: 0.5, sign: -1 }]);
    const precision = { k: 8, mean: 0.725, low: 0.68, high: 0.77, chance: 0.066 };
    expect(hitsInWords(precision)).toBe("5.8 of 8, 0.5 by chance");
    expect(isNoBetter({ precision })).toBe(false);
    expect(isNoBetter({ precision: { ...precision, low: 0.06 } })).toBe(true);
    expect(isNoBetter({ precision: null })).toBe(false);
  });

  it("counts what images share", () => {
    const image = (colour: string | null) => ({
      ...{ image: "demo:0123456789abcdef", path: "a.png", label: null },
      factors: { colour, count: 1 },
    });
    const images = [image("red"), image("blue"), image(null), image("red")];
    expect(commonest(images, "colour")).toEqual({ factor: "colour", value: "red", count: 2 });
    expect(commonest(images, "size")).toBeUndefined();
  });
});

describe("answers", () => {
  it("that were on their way when something changed are asked for again", async () => {
    let asked = 0;
    const open: (() => void)[] = [];
    const queryFn = async () => {
      const one = ++asked;
      await new Promise<void>((go) => open.push(go));
      return one;
    };
    const observer = new QueryObserver<number>(queryClient, { queryKey: ["atlas", "test"], queryFn });
    const stop = observer.subscribe(() => {});
    const renewed = renew("atlas");
    open[0]();
    await expect.poll(() => open.length).toBe(2);
    open[1]();
    await renewed;
    expect(observer.getCurrentResult().data).toBe(2);
    stop();
    queryClient.clear();
  });
});
