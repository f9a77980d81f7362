import type { CompareResult } from "../../results/compare.ts";
import { figure, htmlPage } from "../kit/html.ts";
import { escapeXml, shorten } from "../kit/text.ts";
import { compareSvg } from "./svg.ts";
import { type ComparePictures, captionOf, factorsInWords, score, titleOf, withInterval } from "./words.ts";

/** The heat map as one HTML page that needs nothing beside it, with its pairs and every head's best match as tables. */
export function compareHtml(result: CompareResult, pictures: ComparePictures): string {
  const label = "Picture of the matrix; the tables below hold its numbers";
  const title = escapeXml(titleOf(result));
  return htmlPage(
    title,
    `${figure(compareSvg(result, pictures), label)}
<h2>Numbers</h2>
<p>${escapeXml(captionOf(result))}</p>
<div class="tables">
${pairTable(result)}
${bestTable(result, "a")}
${bestTable(result, "b")}
</div>`,
    "lists",
  );
}

const head = (names: readonly string[]) =>
  `<thead><tr>${names.map((name) => `<th scope="col">${name}</th>`).join("")}</tr></thead>`;

function pairTable({ pairs }: CompareResult): string {
  const rows = pairs.map(
    (pair) =>
      `<tr><th scope="row">${pair.a.name} and ${pair.b.name}</th><td>${withInterval(pair)}</td><td><bdi>${escapeXml(factorsInWords(pair, 4))}</bdi></td></tr>`,
  );
  const body = rows.length > 0 ? rows.join("\n") : '<tr><td colspan="3">none above chance</td></tr>';
  return `<table><caption>Pairs that are each other’s best match</caption>
${head(["pair", "CKA", "both respond to"])}
<tbody>${body}</tbody></table>`;
}

/** The best match of each head of one side. */
function bestTable(result: CompareResult, of: "a" | "b"): string {
  const [best, other] = of === "a" ? [result.bestOfA, "b" as const] : [result.bestOfB, "a" as const];
  const rows = best.map(({ similarity, ...heads }) => {
    const above = similarity > result.chance.highest ? "" : " n.s.";
    return `<tr><th scope="row">${heads[of].name}</th><td>${heads[other].name}</td><td class="n">${score(similarity)}${above}</td></tr>`;
  });
  const model = escapeXml(shorten(result[of].origin.model.name, 80, () => 1));
  return `<table><caption>Best match of each head of <bdi>${model}</bdi>; n.s.: not above chance</caption>
${head(["head", "best match", "CKA"])}
<tbody>${rows.join("\n")}</tbody></table>`;
}
