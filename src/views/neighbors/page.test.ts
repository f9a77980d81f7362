import { describe, expect, test } from "vitest";
import { expectBalanced } from "../kit/markup.fixture.ts";
import { empty, hostile, picturesOf, result, withRows } from "./neighbors.fixture.ts";
import { neighborsHtml } from "./page.ts";

describe("HTML page of a search", () => {
  const page = neighborsHtml(hostile, picturesOf(hostile));

  test("is well formed and keeps hostile text inert", () => {
    expectBalanced(page.replace("<!doctype html>", ""));
    expect(page).not.toMatch(/<script|<img/i);
    expect(page).not.toContain("\u202e");
  });

  test("asks for nothing outside itself, and is dark where the reader prefers that", () => {
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/<link|@import|url\(|(?:src|href)="(?!data:)/);
    expect(page.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(/https?:\/\//);
    expect(page).toContain("@media (prefers-color-scheme: dark)");
  });

  test("has every number of every row in a table, with the whole path", () => {
    const tables = neighborsHtml(result, picturesOf(result)).match(/<table>.*?<\/table>/gs) ?? [];
    expect(tables).toHaveLength(4);
    expect(tables[0]).toContain(
      '<td class="n">1</td><td class="n">+0.0500</td><td class="n">99.9 %</td><td><bdi>label of 0.05</bdi></td><th scope="row"><bdi>pictures/animals/0.05.png</bdi></th>',
    );
    expect(tables[1].match(/scope="row"/g)).toHaveLength(2);
    for (const number of ["−0.0500", "+0.0200", "+0.0500", "+0.0100"]) expect(tables[3]).toContain(number);
  });

  test("a row without images says so", () => {
    expect(neighborsHtml(withRows([]), picturesOf(result))).toContain('<td colspan="5">no images</td>');
  });

  test("of an empty index has no tables of zeros", () => {
    expect(neighborsHtml(empty, picturesOf(empty))).not.toMatch(/<table|0\.0/);
  });
});
