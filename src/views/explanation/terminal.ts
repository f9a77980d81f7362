import type { ExplainResult, Explanation } from "../../results/explain.ts";
import { cellsOf, halfBlocks, padCells, wrapCells } from "../kit/cells.ts";
import { noticeOf } from "../kit/notice.ts";
import { fittedTable, type Table } from "../kit/table.ts";
import {
  cleanText,
  counted,
  decimalsFor,
  formatCosine,
  formatError,
  formatSigned,
  imageTitle,
  shorten,
} from "../kit/text.ts";
import { type NamedContribution, rankContributions, rankTexts, sumsExactly } from "./words.ts";

/** How a terminal shows an explanation. */
export interface TerminalOptions {
  /** Width of the terminal in characters. */
  readonly columns: number;
  /** Whether escape codes for colour may be written: false for NO_COLOR, files and pipes. */
  readonly colour: boolean;
  /** Print every component of a large model too. */
  readonly all?: boolean;
}

/** Models with at most this many components are printed whole; of larger ones the strongest come first. */
const WHOLE = 40;
const STRONGEST = 24;

const CODES = { bold: 1, dim: 2, red: 31, blue: 34, yellow: 33 } as const;
type Paint = (code: keyof typeof CODES, text: string) => string;

/**
 * An explanation as plain lines for a terminal: the texts by similarity, then for each text what every component
 * contributed, largest first, and that these numbers add up.
 */
export function explanationTerminal(result: ExplainResult, options: TerminalOptions): string {
  const { origin, texts } = result;
  const paint: Paint = (code, text) =>
    options.colour && text !== "" ? `\x1b[${CODES[code]}m${text}\x1b[0m` : text;
  const ranked = rankTexts(texts);
  const wrapped = (code: keyof typeof CODES, words: string) =>
    wrapCells(cleanText(words), options.columns).map((line) => paint(code, line));
  const lines = wrapped("bold", `${imageTitle(origin)} seen by ${origin.model.name}`);
  const notice = noticeOf(result);
  if (notice !== null) lines.push(...wrapped("yellow", `Note: ${notice}`));
  if (ranked.length > 1) lines.push("", ...ranking(ranked, options, paint));
  lines.push("", ...wrapped("dim", "What each part of the model contributed: + towards the text, − away"));
  for (const [index, text] of ranked.entries()) {
    if (index > 0) lines.push("");
    lines.push(...contributions(text, options, paint));
  }
  for (const part of [comparedTable(result), ablatedTable(result)]) {
    if (part === null) continue;
    lines.push("", ...wrapped("bold", part.caption), "");
    lines.push(...fittedTable(part.columns, part.rows, options.columns));
  }
  return `${lines.join("\n")}\n`;
}

/** Heads of a row of {@link comparedTable}. */
const LEADING = 3;

/** Scores held against another text, the average picture, or both. */
function comparedTable({ compared }: ExplainResult): Table | null {
  if (!compared) return null;
  const { against, less, texts } = compared;
  const than = [
    ...(against === null ? [] : [`against “${against}”`]),
    ...(less === null ? [] : [`less the average of ${counted(less.images, "picture")} (${less.name})`]),
  ];
  return {
    caption: `Held ${than.join(", ")}`.replace("Held less", "Less"),
    columns: ["text", "#score", "strongest heads"],
    rows: texts.map(({ text, score, heads }) => [
      `“${text}”`,
      formatSigned(score, 4),
      [...heads]
        .sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
        .slice(0, LEADING)
        .map(({ name, value }) => `${name} ${formatSigned(value, 4)}`)
        .join(", "),
    ]),
  };
}

/** Scores without the direct effects of some heads. */
function ablatedTable({ ablated }: ExplainResult): Table | null {
  if (!ablated) return null;
  const { components, over, texts } = ablated;
  const instead = over === null ? "nothing" : `their average over ${counted(over.images, "picture")}`;
  return {
    caption: `Without ${components.set}, ${instead} in their place`,
    columns: ["text", "#score", "#without", "without as many random heads"],
    rows: texts.map(({ text, similarity, without, random }) => [
      `“${text}”`,
      formatCosine(similarity),
      formatCosine(without),
      random === null
        ? "there are no others"
        : `${formatCosine(random.mean)} (${formatCosine(random.low)} to ${formatCosine(random.high)})`,
    ]),
  };
}

/** The texts with their similarities; the bars start at zero, so a negative one has none. */
function ranking(texts: readonly Explanation[], options: TerminalOptions, paint: Paint): string[] {
  const width = Math.max(12, Math.floor(options.columns / 2));
  const names = texts.map(({ text }) => `“${shorten(text, width, cellsOf)}”`);
  const column = Math.max(...names.map(cellsOf));
  const room = Math.min(40, options.columns - column - 14);
  const highest = Math.max(...texts.map(({ similarity }) => similarity));
  const rows = texts.map(({ similarity }, index) => {
    const bar = similarity > 0 && room >= 4 ? halfBlocks((similarity / highest) * room) : "";
    return `  ${padCells(names[index], column)}  ${formatCosine(similarity).padStart(7)}  ${bar}`.trimEnd();
  });
  const title = wrapCells("Cosine similarity with each text, highest first", options.columns);
  return [...title.map((line) => paint("bold", line)), ...rows];
}

/** One text: every component (or the strongest and the sum of the rest), and the sum of all. */
function contributions(input: Explanation, options: TerminalOptions, paint: Paint): string[] {
  const ranked = rankContributions(input);
  const whole = options.all === true || ranked.length <= WHOLE;
  const shown = whole ? ranked : ranked.slice(0, STRONGEST);
  const rest = ranked.slice(shown.length);
  const limit = Math.abs(ranked[0]?.value ?? 0);
  const decimals = decimalsFor(limit) + 1;
  const number = (value: number) => formatSigned(value, decimals).padStart(decimals + 3);
  const label = rest.length === 0 ? "Σ" : `${rest.length} more`;
  const column = [label, ...shown.map(({ name }) => name)].reduce(
    (max, name) => Math.max(max, name.length),
    0,
  );
  const half = Math.min(16, Math.floor((options.columns - column - decimals - 9) / 2));
  const row = ({ name, value }: NamedContribution) =>
    `  ${name.padEnd(column)}  ${number(value)}  ${half >= 3 ? signedBar(value, limit, half, paint) : ""}`.trimEnd();
  const title = `“${shorten(input.text, Math.max(12, options.columns - 24), cellsOf)}”`;
  const lines = [`${paint("bold", title)}  cosine ${formatCosine(input.similarity)}`, ...shown.map(row)];
  if (rest.length > 0) {
    const sum = rest.reduce((total, { value }) => total + value, 0);
    const note = "together (--all shows every one)";
    lines.push(...besides(`  ${label.padEnd(column)}  ${number(sum)}`, note, options.columns));
  }
  const verdict = sumsExactly(input)
    ? "the parts add up exactly to the cosine"
    : "the parts do NOT add up to the cosine";
  lines.push(
    ...besides(
      `  ${"Σ".padEnd(column)}  ${number(input.sum)}`,
      `${verdict} (error ${formatError(input.error)})`,
      options.columns,
    ),
  );
  return lines;
}

/** A row with words beside it or, where there is no room, below it. */
function besides(row: string, words: string, columns: number): string[] {
  const line = `${row}  ${words}`;
  if (cellsOf(line) <= columns) return [line];
  return [row, ...wrapCells(words, columns - 4).map((part) => `    ${part}`)];
}

/** A bar that grows from an axis: to the right in red if positive, to the left in blue if negative. */
function signedBar(value: number, limit: number, half: number, paint: Paint): string {
  const length = limit === 0 ? 0 : (Math.abs(value) / limit) * half;
  if (value >= 0) return `${" ".repeat(half)}│${paint("red", halfBlocks(length))}`;
  // Blocks grow from the left only, so this side goes by half characters: the right half block ends it.
  const halves = Math.round(length * 2);
  const bar = (halves % 2 === 1 ? "▐" : "") + "█".repeat(Math.floor(halves / 2));
  return `${" ".repeat(half - bar.length)}${paint("blue", bar)}│`;
}
