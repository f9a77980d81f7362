import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { headName, writtenSet } from "../../../src/model/components.ts";
import { SCORINGS } from "../../../src/results/scoring.ts";
import type { Head } from "../../../src/results/shapes.ts";
import { formatHeads, headsInWords, parseHeads, toggled } from "./heads.ts";
import { inCommon, tourStops } from "./know.ts";
import { formatAddress, parseAddress, VIEWS, type ViewState } from "./url.ts";

const text = fc.string({ minLength: 1, maxLength: 30 }).filter((value) => value.trim() !== "");
const state: fc.Arbitrary<ViewState> = fc.record({
  view: fc.constantFrom(...VIEWS),
  model: fc.option(text),
  image: fc.option(text),
  texts: fc.array(text, { maxLength: 5 }),
  on: fc.nat(9),
  heads: fc.string({ maxLength: 20 }).map(writtenSet),
  corpus: text,
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
const chosen = fc.uniqueArray(fc.nat(11)).map((units) => new Set(units));

describe("chosen heads", () => {
  it("are written so that they are read back", () => {
    fc.assert(
      fc.property(chosen, (set) => {
        expect(parseHeads(formatHeads(set, sizes), sizes)).toEqual(set);
      }),
    );
    expect(formatHeads(new Set([0, 1, 2, 3, 9]), sizes)).toBe("L0,L2.H1");
  });

  it("come from properties and layers, and what cannot be read chooses none", () => {
    const properties = [{ name: "colour", source: "label", heads: [headOf(2, 3)] }] as const;
    const given = properties.map((one) => ({ ...one, heads: [...one.heads] }));
    expect([...parseHeads("colour", sizes, given)]).toEqual([11]);
    expect([...parseHeads("last1", sizes)]).toEqual([8, 9, 10, 11]);
    expect([...parseHeads("(2,3), 0.1,l1h0", sizes)]).toEqual([1, 4, 11]);
    expect(parseHeads("L9.H9", sizes).size).toBe(0);
  });

  it("go in together, and out when all were in", () => {
    expect([...toggled(new Set([1]), [1, 2])]).toEqual([1, 2]);
    expect([...toggled(new Set([1, 2, 3]), [1, 2])]).toEqual([3]);
  });

  it("have words", () => {
    expect(headsInWords(new Set(), sizes)).toBe("all 12 heads");
    expect(headsInWords(new Set([6]), sizes)).toBe("head L1.H2");
    expect(headsInWords(new Set([6, 7]), sizes)).toBe("2 heads");
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
