import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  allComponents,
  allHeads,
  componentNames,
  headName,
  mlpName,
  parseComponents,
  parseEdit,
  writtenSet,
} from "./components.ts";

const sizes = { layers: 12, heads: 8 };
const names = (text: string, properties = {}) => {
  const set = parseComponents(text, sizes, properties);
  return [
    ...set.heads.map(({ layer, head }) => headName(layer, head)),
    ...set.mlps.map(({ index }) => mlpName(index, sizes)),
  ];
};

describe("a component set as a user writes it", () => {
  it("reads heads, layers, ranges, last, all, MLPs and embed", () => {
    expect(names("L10.H3")).toEqual(["L10.H3"]);
    expect(names("L2")).toEqual(Array.from({ length: 8 }, (_, head) => `L2.H${head}`));
    expect(names("L8-L11")).toEqual(names("last4"));
    expect(names("L8-11")).toEqual(names("last4"));
    expect(parseComponents("all", sizes)).toEqual(allHeads(sizes));
    expect(names("embed, L3.MLP")).toEqual(["embed", "L3.MLP"]);
    expect(parseComponents("all,mlps", sizes)).toEqual(allComponents(sizes));
    expect(names("l10.h3")).toEqual(["L10.H3"]);
  });

  it("reads the weights in a property, times that of the property", () => {
    const properties = { position: ["L3.H1*-1", "L2.H0"] };
    const weights = (text: string) =>
      parseComponents(text, sizes, properties).heads.map(({ layer, head, weight }) => [layer, head, weight]);
    expect(weights("Position")).toEqual([
      [2, 0, 1],
      [3, 1, -1],
    ]);
    expect(weights("position*-2, L5.H5")).toEqual([
      [2, 0, -2],
      [3, 1, 2],
      [5, 5, 1],
    ]);
    expect(() => weights("position, L3.H1")).toThrow(expect.objectContaining({ code: "HEADS_INVALID" }));
    expect(() => weights("position*2e6")).toThrow(expect.objectContaining({ code: "HEADS_INVALID" }));
    expect(weights("position*0")).toEqual([
      [2, 0, 0],
      [3, 1, 0],
    ]);
  });

  it("reads weights and keeps the model's order", () => {
    expect(parseComponents("L10.H3*0.5, L1.H0*-2, embed*3", sizes)).toEqual({
      heads: [
        { layer: 1, head: 0, weight: -2 },
        { layer: 10, head: 3, weight: 0.5 },
      ],
      mlps: [{ index: 0, weight: 3 }],
    });
  });

  it.each(["L10.H3", "l10.h3", "L10H3", "l10h3", "10.3", "(10,3)", " ( 10 , 3 ) ", "L010.H03"])(
    "reads the head %j, alone, with a weight and among others, and shows it one way",
    (written) => {
      expect(names(written)).toEqual(["L10.H3"]);
      expect(parseComponents(`${written}*0.5`, sizes).heads).toEqual([{ layer: 10, head: 3, weight: 0.5 }]);
      expect(names(`L2.H1,${written},${written} , 11.7, (11,6), embed`)).toEqual([
        "L2.H1",
        "L10.H3",
        "L11.H6",
        "L11.H7",
        "embed",
      ]);
      expect(writtenSet(`last4, ${written.trim()}*0.5,animals`)).toBe("last4, L10.H3*0.5,animals");
    },
  );

  it("reads directions of heads where something is taken away, and nowhere else", () => {
    const edited = { ...sizes, headDim: 64 };
    const read = (text: string, properties = {}) =>
      componentNames(parseEdit(text, edited, properties), sizes).join();
    expect(read("L3.H1@2")).toBe("L3.H1@2");
    expect(read("(3,1)@62-63*0.5, l2h0, embed")).toBe("L2.H0,L3.H1@62*0.5,L3.H1@63*0.5,embed");
    expect(read("L3.H1@2,L3.H1@1-2")).toBe("L3.H1@1,L3.H1@2");
    expect(read("animals", { animals: ["L0.H7@0"] })).toBe("L0.H7@0");
    expect(parseEdit("L10.H3", edited)).toEqual(parseComponents("L10.H3", sizes));
    expect(writtenSet("L3H1@2*2")).toBe("L3.H1@2*2");
    for (const wrong of [
      "L3.H1@64",
      "L3.H8@0",
      "L12.H0@0",
      "L3.H1@3-2",
      "L3@0",
      "L3.H1,L3.H1@0",
      "L3.H1@0,L3.H1@0*2",
    ])
      expect(() => parseEdit(wrong, edited), wrong).toThrow(
        expect.objectContaining({ code: "HEADS_INVALID" }),
      );
    expect(() => parseComponents("L3.H1@2", edited)).toThrow(/direction of a head, which only/);
  });

  it("takes no property for a head, and no property that is named like one of them away", () => {
    const properties = { "2.5 d": ["L1.H2"], L1H2x: ["L3.H4"] };
    expect(names("2.5 d, L1H2x", properties)).toEqual(["L1.H2", "L3.H4"]);
    expect(writtenSet("2.5 d, L1H2x, L3.MLP, 1.2.3")).toBe("2.5 d, L1H2x, L3.MLP, 1.2.3");
  });

  it("resolves properties, whatever their case, with a weight", () => {
    const properties = { animals: ["L1.H2", "L3.H4"] };
    expect(names("Animals, L3.H4", properties)).toEqual(["L1.H2", "L3.H4"]);
    expect(parseComponents("animals*0.5", sizes, properties).heads.map(({ weight }) => weight)).toEqual([
      0.5, 0.5,
    ]);
  });

  it.each([
    "",
    "L12",
    "L0.H8",
    "L3-L1",
    "L3-L12",
    "last0",
    "last13",
    "L12.MLP",
    "H3",
    "L1.H1*x",
    "animals",
    "L1.H1,,",
    "(1,2",
    "1,2",
    "(1,2,3)",
    "(1,2)(3,4)",
    "1.2.3",
    "12.0",
    "(0,8)",
    "L1(2,3)",
  ])("refuses %j with HEADS_INVALID", (text) => {
    expect(() => parseComponents(text, sizes)).toThrow(expect.objectContaining({ code: "HEADS_INVALID" }));
  });

  it("says which properties there are where a name is none of them", () => {
    expect(() =>
      parseComponents("backgruond", sizes, { background: ["L0.H1"], position: ["L3.H1"] }),
    ).toThrow(/"backgruond" is not a component or property \(properties are background, position\)/);
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`p${i}`, ["L0.H1"]]));
    expect(() => parseComponents("q", sizes, many)).toThrow(/p18, p19, …\)/);
    expect(() => parseComponents("q", sizes)).toThrow(/"q" is not a component or property;/);
  });

  it("refuses weights that are no numbers or would end float32", () => {
    for (const weight of ["1e308", "-1e308", "1e999", "1000001", "NaN", "Infinity", "0x10", "", "1e", "--1"])
      expect(() => parseComponents(`L3.H1*${weight}`, sizes), weight).toThrow(
        expect.objectContaining({ code: "HEADS_INVALID" }),
      );
    expect(parseComponents("L3.H1*1e6,L3.H2*-0", sizes).heads.map(({ weight }) => weight)).toEqual([1e6, 0]);
  });

  it("refuses two weights for one component and accepts the same one twice", () => {
    expect(() => parseComponents("L3,L3.H1*0.5", sizes)).toThrow(/second weight/);
    expect(names("L3.H1,L3.H1")).toEqual(["L3.H1"]);
  });

  it("reads back every set it can name", () => {
    const head = fc.record({ layer: fc.nat(11), head: fc.nat(7), weight: fc.integer({ min: -50, max: 50 }) });
    const heads = fc.uniqueArray(head, { minLength: 1, selector: (one) => headName(one.layer, one.head) });
    fc.assert(
      fc.property(heads, (chosen) => {
        const text = chosen.map((one) => `${headName(one.layer, one.head)}*${one.weight}`).join(",");
        const sorted = [...chosen].sort((a, b) => a.layer * 8 + a.head - (b.layer * 8 + b.head));
        expect(parseComponents(text, sizes).heads).toEqual(sorted);
      }),
    );
  });
});
