import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { headName, writtenSet } from "../../../src/model/components.ts";
import { SCORINGS } from "../../../src/results/scoring.ts";
import type { Head } from "../../../src/results/shapes.ts";
import { chosenOf, formatHeads, headsInWords, readHeads, toggled } from "./heads.ts";
import { inCommon, tourStops } from "./know.ts";
import { formatAddress, parseAddress, VIEWS, type ViewState, WITHOUT } from "./url.ts";

const text = fc.string({ minLength: 1, maxLength: 30 }).filter((value) => value.trim() !== "");
const state: fc.Arbitrary<ViewState> = fc.record({
  view: fc.constantFrom(...VIEWS),
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
});

describe("the address", () => {
  it("holds every state, whatever is in it", () => {
    fc.assert(
      fc.property(state, (one) => {
        expect(parseAddress(formatAddress(one))).toEqual(one);
      }),
    );
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
    const properties = [{ name: "colour", source: "label", heads: [headOf(2, 3)] }] as const;
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
  it("the tour visits the three heads that are furthest above chance, none twice, and none that is not above it", () => {
    const factors = ["a", "b", "c", "d", "e"].map((name, i) => ({ name, queries: 9, chance: 0.1 * (i + 1) }));
    const hubness = { never: 0, most: 9, skewness: 0 };
    const row = (chosenFor: string, head: Head, mean: number) => {
      const precisionAtK = factors.map(() => ({ mean, low: mean - 0.05, high: mean + 0.05 }));
      return { chosenFor, heads: [head], hubness, precisionAtK };
    };
    const rows = [
      row("a", headOf(0, 0), 0.5),
      row("b", headOf(0, 0), 0.9),
      row("c", headOf(1, 0), 0.32),
      row("d", headOf(1, 1), 0.6),
      row("e", headOf(1, 2), 0.8),
    ];
    const whole = { chosenFor: "embedding", heads: [], hubness, precisionAtK: [] };
    const stops = tourStops({ retrieval: { k: 8, scoring: "centred", factors, rows: [whole, ...rows] } });
    expect(stops.map(({ head, factor }) => [head, factor])).toEqual([
      ["L0.H0", "b"],
      ["L1.H2", "e"],
      ["L1.H1", "d"],
    ]);
  });

  it("counts what images share", () => {
    const image = (colour: string | null, count: number) => ({
      ...{ image: "demo:0123456789abcdef", path: "a.png", label: null },
      factors: { colour, count },
    });
    const [first, second] = inCommon([image("red", 1), image("red", 2), image(null, 3), image("red", 1)]);
    expect(first).toEqual({ factor: "colour", value: "red", count: 3, of: 4 });
    expect(second).toEqual({ factor: "count", value: "1", count: 2, of: 4 });
  });
});
