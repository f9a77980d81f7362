import { unescapeClearHtml } from "../html.ts";
import {
  fixLineBreaks,
  fixSurrogates,
  fixWidths,
  removeControls,
  removeTerminalEscapes,
  splitLigatures,
  uncurlQuotes,
} from "./characters.ts";
import { fixC1Controls } from "./encodings.ts";
import { fixEncoding } from "./mojibake.ts";

/** In the order in which they are applied. */
const STEPS: readonly ((text: string) => string)[] = [
  fixEncoding,
  fixC1Controls,
  splitLigatures,
  fixWidths,
  uncurlQuotes,
  fixLineBreaks,
  fixSurrogates,
  removeTerminalEscapes,
  removeControls,
  (text) => text.normalize("NFC"),
];

/** A text escaped more often than this is left escaped; without a bound, time would be quadratic in its length. */
const MAX_ROUNDS = 32;

/**
 * Repairs a text as `ftfy.fix_text` (6.3.1, https://ftfy.readthedocs.io) does with its default settings: mojibake, HTML
 * references, quotes, ligatures, widths, line breaks, surrogates, terminal escapes, controls; then NFC. Line by line,
 * each until nothing changes.
 */
export function fixText(text: string): string {
  // Printable ASCII without a reference has nothing to repair.
  if (/^[\t\n\x20-\x25\x27-\x7e]*$/.test(text)) return text;
  let unescapes = true;
  return text
    .split(/(?<=\n)/)
    .map((line) => {
      // What holds a tag is HTML, where references belong; so are, for ftfy, the lines after it.
      unescapes &&= !line.includes("<");
      return fixLine(line, unescapes);
    })
    .join("");
}

function fixLine(line: string, unescapes: boolean): string {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const before = line;
    if (unescapes) line = unescapeClearHtml(line);
    for (const step of STEPS) line = step(line);
    if (line === before) break;
  }
  return line;
}
