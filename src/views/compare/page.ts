import { figure, htmlPage } from "../kit/html.ts";
import { escapeXml, shorten } from "../kit/text.ts";
import { headMatchSvg } from "./svg.ts";
import { captionOf, factorsInWords, type HeadMatchInput, score, titleOf, withInterval } from "./words.ts";

/** The heat map as one HTML page that needs nothing beside it, with its pairs and every head's best match as tables. */
export function headMatchHtml(input: HeadMatchInput): string {
  const label = "Picture of the matrix; the tables below hold its numbers";
  const title = escapeXml(titleOf(input));
  return htmlPage(
    title,
    `${figure(headMatchSvg(input), label)}
<h2>Numbers</h2>
<p>${escapeXml(captionOf(input))}</p>
<div class="tables">
${pairTable(input)}
${bestTable(input, "a")}
${bestTable(input, "b")}
</div>`,
    "lists",
  );
}

const head = (names: readonly string[]) =>
  `<thead><tr>${names.map((name) => `<th scope="col">${name}</th>`).join("")}</tr></thead>`;

function pairTable(input: HeadMatchInput): string {
  const rows = input.pairs.map(
    (pair) =>
      `<tr><th scope="row">${pair.a} and ${pair.b}</th><td>${withInterval(pair)}</td><td><bdi>${escapeXml(factorsInWords(pair, 4))}</bdi></td></tr>`,
  );
  const body = rows.length > 0 ? rows.join("\n") : '<tr><td colspan="3">none above chance</td></tr>';
  return `<table><caption>Pairs that are each other’s best match</caption>
${head(["pair", "CKA", "both respond to"])}
<tbody>${body}</tbody></table>`;
}

/** The best match of each head of one side. */
function bestTable({ a, b, headsA, headsB, similarity, chance }: HeadMatchInput, of: "a" | "b"): string {
  const [own, others] = of === "a" ? [headsA, headsB] : [headsB, headsA];
  const value = (i: number, j: number) => (of === "a" ? similarity[i][j] : similarity[j][i]);
  const rows = own.map((name, i) => {
    const best = others.reduce((top, _, j) => (value(i, j) > value(i, top) ? j : top), 0);
    const above = value(i, best) > chance.highest ? "" : " n.s.";
    return `<tr><th scope="row">${name}</th><td>${others[best]}</td><td class="n">${score(value(i, best))}${above}</td></tr>`;
  });
  const model = escapeXml(shorten(of === "a" ? a : b, 80, () => 1));
  return `<table><caption>Best match of each head of <bdi>${model}</bdi>; n.s.: not above chance</caption>
${head(["head", "best match", "CKA"])}
<tbody>${rows.join("\n")}</tbody></table>`;
}
