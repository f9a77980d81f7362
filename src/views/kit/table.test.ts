import { expect, test } from "vitest";
import { htmlTable, tableHtml, tableMarkdown, terminalTable } from "./table.ts";

const TABLE = {
  caption: "A & B",
  columns: ["name", "#value"],
  rows: [
    ["<b>x", "1 [0, 2]"],
    ["犬|", "10"],
  ],
};

test("columns of a terminal's table align in cells, numbers to the right, and names command nothing", () => {
  expect(
    terminalTable(
      ["name", "#value", "note"],
      [
        ["犬犬犬", "1犬", ""],
        ["a\u001b[1m\nb", "−10.5", "x"],
      ],
    ),
  ).toEqual(["name    value  note", "犬犬犬    1犬", "a[1m b  −10.5  x"]);
});

test("a table of texts as HTML: escaped, numbers marked, intervals small, in a box that scrolls", () => {
  expect(tableHtml(TABLE)).toBe(`<div class="wide" tabindex="0" role="region" aria-label="A &amp; B">
<table><caption>A &amp; B</caption>
<thead><tr><th scope="col">name</th><th scope="col" class="n">value</th></tr></thead>
<tbody><tr><th scope="row">&lt;b&gt;x</th><td class="n">1 <small>[0, 2]</small></td></tr>
<tr><th scope="row">犬|</th><td class="n">10</td></tr></tbody></table>
</div>
`);
});

test("cells choose what they are; a foot and what is shown for no rows", () => {
  const cell = { html: "2", as: "th", class: "chance" } as const;
  const foot = [["Σ", "3"]];
  expect(htmlTable({ columns: ["a", "#b"], rows: [["1", cell]], foot })).toBe(`<table>
<thead><tr><th scope="col">a</th><th scope="col" class="n">b</th></tr></thead>
<tbody><tr><th scope="row">1</th><th scope="row" class="n chance">2</th></tr></tbody>
<tfoot><tr><th scope="row">Σ</th><td class="n">3</td></tr></tfoot></table>`);
  expect(htmlTable({ columns: ["a", "b"], rows: [], empty: "none" })).toContain(
    '<tbody><tr><td colspan="2">none</td></tr></tbody>',
  );
});

test("a table as Markdown, in which no text is markup", () => {
  expect(tableMarkdown(TABLE)).toBe(
    [
      "**A & B**\n",
      "| name | value |",
      "| --- | ---: |",
      "| \\<b\\>x | 1 \\[0, 2\\] |",
      "| 犬\\| | 10 |",
    ].join("\n"),
  );
});
