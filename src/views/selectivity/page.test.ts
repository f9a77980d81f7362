import { describe, expect, test } from "vitest";
import { expectBalanced } from "../kit/markup.fixture.ts";
import { selectivityHtml } from "./page.ts";
import { hostile, nothing, signed, small } from "./selectivity.fixture.ts";

describe("HTML page of selectivity", () => {
  test("is well formed, keeps hostile text inert and asks for nothing outside itself", () => {
    const page = selectivityHtml(hostile);
    expectBalanced(page.replace("<!doctype html>", ""));
    expect(page).not.toMatch(/<script|\u202e/i);
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/<link|@import|url\(|(?:src|href)="(?!data:)/);
    expect(page).toContain("@media (prefers-color-scheme: dark)");
  });

  test("has every share in a table, and marks those that are not above chance", () => {
    const [table] = /<table>.*<\/table>/s.exec(selectivityHtml(small))!;
    expect(table.match(/<th scope="row">/g)).toHaveLength(8);
    expect(table.match(/<td/g)).toHaveLength(16);
    expect(table).toContain('<th scope="row">L0.H1</th><td class="n">62.0</td><td class="n">0.2</td>');
    expect(table).toContain('<td class="n chance">90.0 n.s.</td>');
    expect(table.match(/n\.s\.<\/td>/g)).toHaveLength(1);
  });

  test("says which heads write away from what they see", () => {
    expect(selectivityHtml(signed)).toContain('<td class="n">62.0 away</td><td class="n">0.2</td>');
  });

  test.each(nothing)("%s: finite numbers all the same", (_, input) => {
    expect(selectivityHtml(input)).not.toMatch(/NaN|Infinity|undefined/);
  });
});
