import { describe, expect, test } from "vitest";
import { cellsOf } from "../kit/cells.ts";
import { expectBalanced } from "../kit/markup.fixture.ts";
import { segmentationSheetHtml } from "./page.ts";
import { AGREEMENT, answerPictures } from "./panels.ts";
import { method, sampleEvaluation } from "./segmentation-sheet.fixture.ts";
import { segmentationSheetSvg } from "./svg.ts";
import { segmentationSheetTerminal } from "./terminal.ts";

const picture = { png: Uint8Array.of(1), width: 8, height: 8 };
const pictures = { answers: [{ image: picture, map: picture, agreement: picture }] };
const result = sampleEvaluation(
  [
    method("all", [0.6, 0.7, 0.5, 0.61, 0.71, 0.51]),
    method("nothing", [0.4, 0.4, 0.9, 0.41, 0.41, 0.91], "control"),
  ],
  [{ rank: "best", image: "a.png", name: "cat", predicted: "dog", iou: 0.91 }],
);
const words = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, line]) => line);

describe("sheet of an evaluation", () => {
  test("gives every method's number, the best of a column in bold, and the controls in gray", () => {
    const svg = segmentationSheetSvg(result, pictures);
    for (const line of ["all", "nothing", "70.0", "50.0", "40.0", "90.0", "mIoU", "mAP"])
      expect(words(svg)).toContain(line);
    const bold = [...svg.matchAll(/font-weight="600"[^>]*>([\d.]+)</g)].map(([, number]) => number);
    expect(bold).toEqual(["60.0", "70.0", "90.0", "61.0", "71.0", "91.0"]);
    expect(svg.match(/<circle class="muted"/g)).toHaveLength(6);
  });

  test("shows each answer with its class, its IoU and what the image was taken for", () => {
    const svg = segmentationSheetSvg(result, pictures);
    expect(words(svg)).toContain("cat, IoU 91 %");
    expect(words(svg)).toContain("named dog");
    expect(svg.match(/<image /g)).toHaveLength(3);
    expect(words(svg)[0]).toBe("How well maps of tiny find things: 1,200 images of scenes");
  });

  test("as a page has the numbers with their intervals", () => {
    const html = segmentationSheetHtml(result, pictures);
    expectBalanced(html.replace(/<!doctype html>|<style>[\s\S]*?<\/style>/g, ""));
    expect(html).toContain("70.0 <small>[65.0, 75.0]</small>");
  });

  test("says how many images of what there were, however long the model's name is", () => {
    const model = { ...result.origin.model, name: "a very long name ".repeat(20) };
    const long = { ...result, origin: { ...result.origin, model } };
    expect(words(segmentationSheetSvg(long, pictures))[0]).toMatch(/… find things: 1,200 images of scenes$/);
    const none = segmentationSheetSvg({ ...result, answers: [] }, { answers: [] });
    expect(none).not.toContain("Best, middle");
  });

  test("paints agreement in the colours of its key, whatever the picture", async () => {
    const seen: string[] = [];
    const encode = async (rgb: Uint8Array) => {
      seen.push([...rgb].map((value) => value.toString(16).padStart(2, "0")).join(""));
      return rgb;
    };
    await answerPictures(
      {
        ...{ size: 2, rgb: new Uint8Array(12).fill(40), relevance: Float64Array.of(1, 0, 1, 0) },
        ...{ found: Uint8Array.of(1, 0, 1, 0), mask: Int8Array.of(1, 1, 0, -1) },
      },
      encode,
    );
    const { both, missed, wrong, ignored } = AGREEMENT;
    expect(seen[2]).toBe([both, missed, wrong, ignored].map((hex) => hex.slice(1)).join(""));
  });

  test.each([60, 90, 200])(
    "in a terminal of %i columns says what was left out and what the model does not know",
    (columns) => {
      const partial = {
        ...result,
        ...{
          foreign: true,
          leftOut: 3,
          unmatched: ["b\u001b[1m.png"],
          rejected: [{ path: "c.png", code: "X", message: "y" }],
        },
        origin: { ...result.origin, model: { ...result.origin.model, notice: "A small model." } },
      };
      const text = segmentationSheetTerminal(partial, { columns });
      for (const line of text.split("\n")) expect(cellsOf(line)).toBeLessThanOrEqual(columns);
      const flat = text.replace(/\s+/g, " ");
      for (const part of [
        "Note: A small model. These images are not of its world",
        "left out: 3",
        "70.0 [65.0, 75.0]",
        "rejected: c.png (X: y)",
        "b[1m.png",
      ])
        expect(flat).toContain(part);
    },
  );
});
