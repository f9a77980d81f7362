import { describe, expect, it } from "vitest";
import { unescapeClearHtml, unescapeHtml } from "./html.ts";

describe("unescapeHtml", () => {
  // Right-hand sides from Python's html.unescape.
  it.each([
    ["salt &amp; pepper &lt;b&gt;", "salt & pepper <b>"],
    ["caf&eacute; &eacute &ndash; &hellip;", "café é – …"],
    ["&amp;amp;", "&amp;"],
    ["AT&T R&D &; && &# &x", "AT&T R&D &; && &# &x"],
    ["&notx; &notin; &ampx", "¬x; ∉ &x"],
    ["&#233;&#xE9;&#XE9 &#x1F642;", "ééé 🙂"],
    ["&#128;&#x92;&#x81;", "€’\x81"],
    ["&#0;&#xD800;&#x110000;&#99999999999;", "\ufffd\ufffd\ufffd\ufffd"],
    ["a&#1;b&#xFFFE;c&#9;d", "abc\td"],
  ])("reads %j as Python does", (text, expected) => {
    expect(unescapeHtml(text)).toBe(expected);
  });
});

describe("unescapeClearHtml", () => {
  // Right-hand sides from ftfy.fixes.unescape_html.
  it.each([
    ["this&not that &copy 2020", "this&not that &copy 2020"],
    ["&Jscr;ohn &HilbertSpace;ancock &checkmark;", "𝒥ohn ℋancock ✓"],
    ["P&EACUTE;REZ BUNDESSTRA&SZLIG;E &NTILDE;&nTILDE;", "PÉREZ BUNDESSTRASSE Ñ&nTILDE;"],
    ["&#233;&#xE9; &#59; &#12ab;", "éé &#59; &#12ab;"],
  ])("reads %j as ftfy does", (text, expected) => {
    expect(unescapeClearHtml(text)).toBe(expected);
  });
});
