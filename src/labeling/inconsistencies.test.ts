import { describe, expect, it } from "vitest";
import { publishedLabels } from "../labels/published.ts";
import { headNamed } from "../results/shapes.ts";
import { findInconsistencies } from "./inconsistencies.ts";

const heads = (...labels: string[]) => Object.fromEntries(labels.map((label, i) => [`L0.H${i}`, label]));
const named = (...names: string[]) => names.map(headNamed);
const found = (...labels: string[]) =>
  findInconsistencies(heads(...labels)).map(({ kind, labels: uses }) => [
    kind,
    ...uses.map(({ label }) => label),
  ]);

describe("inconsistencies of labels", () => {
  it.each([
    ["case", ["Body", "body"]],
    ["spacing", ["Body parts", "Bodyparts", "body-parts"]],
    ["plural", ["Activity", "Activities"]],
    ["plural", ["Color", "colours"]],
    ["misspelt", ["Texture", "Textrue"]],
    ["misspelt", ["Pattern", "Patern"]],
    ["misspelt", ["Location", "Lacation"]],
  ])("%s: %j", (kind, labels) => {
    expect(found(...labels)).toEqual([[kind, ...labels]]);
  });

  it("a list without a comma runs two labels together; two words are no such thing", () => {
    expect(found("Art", "Nature", "ArtNature")).toEqual([["joined", "ArtNature", "Art", "Nature"]]);
    expect(found("Descriptive", "Style", "Descriptive style")).toEqual([]);
  });

  it("none among labels that differ, or are the same", () => {
    expect(found("Animals", "Colors", "Colors", "Wind", "Wing", "Texture")).toEqual([]);
  });

  it("a property's list that contradicts the labels", () => {
    const labels = heads("Colors", "Colors", "Animals");
    expect(findInconsistencies(labels, { colors: ["L0.H0", "L0.H1"] })).toEqual([]);
    expect(findInconsistencies(labels, { colors: ["L0.H0", "L0.H2"] })).toEqual([
      {
        kind: "listed",
        labels: [
          { label: "colors", heads: named("L0.H0", "L0.H2") },
          { label: "Animals", heads: named("L0.H2") },
        ],
      },
      {
        kind: "unlisted",
        labels: [
          { label: "colors", heads: named("L0.H0", "L0.H2") },
          { label: "Colors", heads: named("L0.H1") },
        ],
      },
    ]);
  });

  it("of the published labels: two plurals in L/14, and a list of locations with heads of other labels", async () => {
    const published = await publishedLabels("ViT-L-14/laion2b_s32b_b82k");
    const labels = Object.fromEntries((published?.heads ?? []).map(({ head, label }) => [head, label]));
    const all = findInconsistencies(labels, published?.properties);
    const plurals = all.filter(({ kind }) => kind === "plural");
    expect(plurals.map(({ labels: uses }) => uses.map(({ label }) => label))).toEqual([
      ["Object", "Objects"],
      ["Colors", "Color"],
    ]);
    const locations = all.find(
      ({ kind, labels: uses }) => kind === "listed" && uses[0].label === "locations",
    );
    expect(locations?.labels.map(({ label }) => label)).toContain("Vehicles");
  });
});
