import { describe, expect, it } from "vitest";
import { expectBalanced } from "../kit/markup.fixture.ts";
import { textWidth } from "../kit/text.ts";
import { bare, context, hostileOverview, hostilePage, overview, page, wordless } from "./atlas.fixture.ts";
import { atlasCsv } from "./csv.ts";
import { factorBars, histogram, scatter } from "./drawings.ts";
import { atlasOverviewHtml } from "./overview.ts";
import { atlasHeadHtml } from "./page.ts";
import { LEVELS, mapLevels } from "./script.ts";
import { atlasSvg } from "./svg.ts";
import { metricValue } from "./words.ts";

/** A page's markup: without styles, scripts, and elements that close themselves. */
const markup = (html: string) =>
  html
    .replace(/<(style|script)[^>]*>[\s\S]*?<\/\1>/g, "")
    .replace(/<(img|input)[^>]*>/g, "")
    .replace("<!doctype html>", "");

describe("pages of the atlas", () => {
  it.each([
    ["an overview", atlasOverviewHtml(overview, context)],
    ["a bare overview", atlasOverviewHtml(bare, context)],
    ["a page", atlasHeadHtml(page, context)],
    ["a page without texts", atlasHeadHtml(wordless, context)],
  ])("%s is balanced and finite", (_what, html) => {
    expectBalanced(markup(html));
    expect(markup(html)).not.toMatch(/NaN|Infinity|undefined|null/);
  });

  it.each([
    ["overview", atlasOverviewHtml(hostileOverview, context)],
    ["page", atlasHeadHtml(hostilePage, context)],
  ])("hostile names stay text on the %s: no script but the page's own", (_what, html) => {
    const scripts = html.match(/<script/g) ?? [];
    const own = html.match(/<script>"use strict"|<script type="application\/json"/g) ?? [];
    expect(scripts).toHaveLength(own.length);
    expect(html).toContain("script-src 'sha256-0000'");
    expectBalanced(markup(html));
  });

  it("the next head and the one before are links that keys find", () => {
    const html = atlasHeadHtml(page, context);
    expect(html).toContain('<a rel="prev" href="L0.H1.html">');
    expect(html).not.toContain('rel="next" href');
  });

  it("a picture that is gone has a frame, and what has no map has no canvas", () => {
    const html = atlasHeadHtml(page, context);
    expect(html).toContain('<div class="frame-of none">');
    const maps = [...html.matchAll(/data-map="([^"]+)"/g)].map((found) => found[1]);
    const wanted = page.directions
      .flatMap(({ most, least, deciles }) => [...most, ...least, ...deciles.flatMap(({ images }) => images)])
      .filter(({ map }) => map !== null);
    expect(maps).toHaveLength(wanted.length);
    expect(maps.every((map) => map.length === 16)).toBe(true);
  });
});

describe("drawings", () => {
  it("levels of a map run from one end of the scale to the other, 0 in the middle", () => {
    const ends = [LEVELS[0], LEVELS[31], LEVELS.at(-1)].join("");
    expect(mapLevels([-2, 0, 2], 1)).toBe(ends);
    expect(mapLevels([1, -1], 0)).toBe(LEVELS[31].repeat(2));
  });

  it("a factor's bar goes left of the axis where the head writes away from what it sees", () => {
    const bars = [
      ...factorBars(page.factors).body.matchAll(/<rect x="([\d.]+)" y="\d+" width="([\d.]+)"/g),
    ].map(([, x, width]) => [Number(x), Number(width)]);
    const axis = Number(/<path class="frame" d="M([\d.]+)/.exec(factorBars(page.factors).body)![1]);
    expect(bars[0][0] + bars[0][1]).toBeCloseTo(axis, 1);
    expect(bars[1][0]).toBeCloseTo(axis, 1);
    expect(bars[0][1] / bars[1][1]).toBeCloseTo(0.52 / 0.15, 1);
  });

  it("bars of a histogram are as high as their counts", () => {
    const heights = [
      ...histogram({ from: -1, to: 1, counts: [2, 0, 4] }, 300, 64).body.matchAll(
        /<rect [^>]*height="([\d.]+)"/g,
      ),
    ].map((found) => Number(found[1]));
    expect(heights).toEqual([25, 50]);
  });

  it("names of points lie over no other name and no other point, where there is room", () => {
    const heads = Array.from({ length: 24 }, (_, i) => ({
      ...{ name: `L${i}.H0`, layer: i, label: null },
      metrics: { ...overview.heads[1].metrics, norm: Math.floor(i / 6), sign: 0.02 * (i % 6) },
    }));
    const axis = (key: "norm" | "sign") => overview.metrics.find((one) => one.key === key)!;
    const { body } = scatter(heads, axis("norm"), axis("sign"), (name) => `#${name}`);
    const drawn = [
      ...body.matchAll(
        /translate\(([\d.]+) ([\d.]+)\)">.*?<text x="(-?\d+)" y="(-?\d+)"[^>]*?( text-anchor="(\w+)")? class[^>]*>([^<]+)</g,
      ),
    ];
    expect(drawn.length).toBeGreaterThan(8);
    const boxes = drawn.map(([, x, y, dx, dy, , anchor = "start", name]) => {
      const wide = textWidth(name, 10);
      const left = Number(x) + Number(dx) - { start: 0, middle: wide / 2, end: wide }[anchor]!;
      return { left, right: left + wide, base: Number(y) + Number(dy) };
    });
    for (const [i, one] of boxes.entries())
      for (const other of boxes.slice(i + 1))
        expect(
          one.left >= other.right || other.left >= one.right || Math.abs(one.base - other.base) >= 10,
        ).toBe(true);
  });

  it("a picture and a table of all heads say what they are of", () => {
    const of = (key: "norm" | "sign" | "selectivity") => overview.metrics.find((one) => one.key === key)!;
    const svg = atlasSvg(overview, { metric: of("selectivity"), x: of("norm"), y: of("sign") });
    expectBalanced(svg);
    expect(svg).not.toContain("<a ");
    for (const { name } of overview.heads) expect(svg).toContain(`data-head="${name}"`);
    const lines = atlasCsv(overview).trim().split("\n");
    expect(lines[0]).toMatch(/^# program: clip-interpret/);
    const rows = lines.filter((line) => !line.startsWith("#"));
    expect(rows[0]).toMatch(/^head,label,/);
    expect(rows).toHaveLength(overview.heads.length + 1);
  });

  it("a scatter leaves out heads without a value, and leads to the others", () => {
    const axis = (key: "norm" | "sign") => overview.metrics.find((metric) => metric.key === key)!;
    const { body } = scatter(overview.heads, axis("norm"), axis("sign"), (name) => `#${name}`);
    expect(body).toContain('href="#L0.H0" data-head="L0.H0" visibility="hidden"');
    expect(body).toContain('href="#L1.H0" data-head="L1.H0" transform');
  });

  it.each([
    [null, "share", "–"],
    [0.524, "share", "52 %"],
    [-0.436, "signed-share", "−43.6 %"],
    [0.0099, "p", "0.01"],
    [4, "count", "4 of 5"],
  ] as const)("%s as %s is written %s", (value, unit, words) => {
    expect(metricValue(value, unit)).toBe(words);
  });
});
