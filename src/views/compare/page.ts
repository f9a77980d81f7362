import type { CompareResult } from "../../results/compare.ts";
import { figure, htmlPage } from "../kit/html.ts";
import { sideBySide } from "../kit/table.ts";
import { escapeXml, shorten } from "../kit/text.ts";
import { compareSvg } from "./svg.ts";
import { type ComparePictures, captionOf, factorsInWords, score, titleOf, withInterval } from "./words.ts";

/**
 * The heat map as one HTML page that needs nothing beside it, with its pairs and every head's best match as tables.
 *
 * @example
 * ```ts
 * import { readFile, writeFile } from "node:fs/promises";
 * import { compareModels, openIndex, openModel, parseHeads } from "clip-interpret";
 * import { compareHtml, thumbnail } from "clip-interpret/views";
 *
 * const sides = [["emoji-4x128-p8", "scenes.index"], ["emoji-6x192-p8", "other.index"]].map(async ([name, folder]) => {
 *   const model = await openModel(name);
 *   return { model, index: await openIndex(model, folder), components: parseHeads(model, "last2") };
 * });
 * const [a, b] = await Promise.all(sides);
 * const result = await compareModels(a, b, { permutations: 5, pairs: 1 });
 * const ends = result.pairs.flatMap(({ axis }) => [...axis.most, ...axis.least]);
 * const files = ends.map(async ({ id, path }) => [id, await thumbnail(`scenes/${path}`, 112)] as const);
 * const pictures = { pictureOf: new Map(await Promise.all(files)) };
 * await writeFile("out.html", compareHtml(result, pictures));
 * console.log((await readFile("out.html", "utf8")).slice(0, 15)); // → <!doctype html>
 * ```
 */
export function compareHtml(result: CompareResult, pictures: ComparePictures): string {
  const label = "Picture of the matrix; the tables below hold its numbers";
  const title = escapeXml(titleOf(result));
  return htmlPage(
    title,
    `${figure(compareSvg(result, pictures), label)}
<h2>Numbers</h2>
<p>${escapeXml(captionOf(result))}</p>
${sideBySide([pairTable(result), bestTable(result, "a"), bestTable(result, "b")], "Matches")}`,
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
