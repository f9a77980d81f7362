import { describe, expect, it } from "vitest";
import { imageFormat } from "./format.ts";

const bytes = (latin1: string) => Buffer.from(latin1, "latin1");

describe("imageFormat", () => {
  it.each([
    ["\xff\xd8\xff\xe0", "JPEG", true],
    ["\x89PNG\r\n\x1a\n", "PNG", true],
    ["GIF89a", "GIF", true],
    ["RIFF\x10\0\0\0WEBPVP8 ", "WebP", true],
    ["II*\0\x08\0\0\0", "TIFF", true],
    ["II*\0\x10\0\0\0CR\x02\0", "Canon raw", false],
    ["\0\0\0\x1cftypavif\0\0\0\0mif1avif", "AVIF", true],
    ["\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC", true],
    ["\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC", true],
    ["\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "AVIF", true],
    ["\0\0\0\x14ftypmif1\0\0\0\0mif1avif", "HEIF", false], // the brand lies past the box
    ["BM\x10\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", "BMP", true],
    ["P6\n2 2\n255\n", "PPM", true],
    ["P5 2 2 255 ", "PGM", true],
    ["P4\n# made by hand\n", "PBM", true],
    ["P7\nWIDTH 2\n", "PAM", false],
    ["\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000", false],
    ["\xff\x0a\xfa", "JPEG XL", false],
    ['<?xml version="1.0"?>\n<!-- drawn --><svg xmlns="http://www.w3.org/2000/svg">', "SVG", false],
  ])("knows %j by its beginning", (head, name, readable) => {
    expect(imageFormat(bytes(head))).toEqual({ name, readable });
  });

  it.each([
    "",
    "B",
    "BMW is a make of car, and not a picture",
    "P6",
    "Plain text",
    "%PDF-1.7",
    "\0\0\0\x18ftypmp42\0\0\0\0mp42",
    "<html><svg>",
  ])("takes %j for no picture", (head) => {
    expect(imageFormat(bytes(head))).toBeUndefined();
  });
});
