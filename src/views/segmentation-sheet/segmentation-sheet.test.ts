import { describe, expect, test } from "vitest";
import { expectBalanced } from "../kit/markup.fixture.ts";
import { type SegmentationSheetInput, segmentationSheetHtml, segmentationSheetSvg } from "./svg.ts";

const picture = { png: Uint8Array.of(1), width: 8, height: 8 };
const measured = (value: number) => ({ value, low: value - 0.05, high: value + 0.05 });
const input: SegmentationSheetInput = {
  ...{ model: "tiny", source: "scenes", images: 1200 },
  columns: [
    { group: "true classes", title: "mIoU" },
    { group: "true classes", title: "mAP" },
  ],
  methods: [
    { name: "all", isControl: false, measures: [measured(0.7), measured(0.5)] },
    { name: "nothing", isControl: true, measures: [measured(0.4), measured(0.9)] },
  ],
  rows: [
    {
      title: "best",
      items: [{ name: "cat", predicted: "dog", iou: 0.91, image: picture, map: picture, agreement: picture }],
    },
  ],
};
const words = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, line]) => line);

describe("sheet of an evaluation", () => {
  test("gives every method's number, the best of a column in bold, and the controls in gray", () => {
    const svg = segmentationSheetSvg(input);
    for (const line of ["all", "nothing", "70.0", "50.0", "40.0", "90.0", "mIoU", "mAP"])
      expect(words(svg)).toContain(line);
    const bold = [...svg.matchAll(/font-weight="600"[^>]*>([\d.]+)</g)].map(([, number]) => number);
    expect(bold).toEqual(["70.0", "90.0"]);
    expect(svg.match(/<circle class="muted"/g)).toHaveLength(2);
  });

  test("shows each answer with its class, its IoU and what the image was taken for", () => {
    const svg = segmentationSheetSvg(input);
    expect(words(svg)).toContain("cat, IoU 91 %");
    expect(words(svg)).toContain("named dog");
    expect(svg.match(/<image /g)).toHaveLength(3);
    expect(words(svg)[0]).toBe("How well maps of tiny find things: 1,200 images of scenes");
  });

  test("as a page has the numbers with their intervals", () => {
    const html = segmentationSheetHtml(input);
    expectBalanced(html.replace(/<!doctype html>|<style>[\s\S]*?<\/style>/g, ""));
    expect(html).toContain("70.0 [65.0, 75.0]");
  });
});
