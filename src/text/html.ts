// The names that HTML lets end without a semicolon: Latin-1 in the order of its characters from U+00A0.
const LATIN1 =
  `nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2
sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml
Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml
times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave
eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute
ucirc uuml yacute thorn yuml`.split(/\s/);
const BARE = new Map<string, string>([
  ...LATIN1.map((name, i): [string, string] => [name, String.fromCharCode(0xa0 + i)]),
  ...Object.entries({ amp: "&", AMP: "&", lt: "<", LT: "<", gt: ">", GT: ">", quot: '"', QUOT: '"' }),
  ...Object.entries({ COPY: "©", REG: "®" }),
]);
const WITH_SEMICOLON = new Map(
  Object.entries({
    ...{ apos: "'", lsquo: "‘", rsquo: "’", sbquo: "‚", ldquo: "“", rdquo: "”", bdquo: "„", lsaquo: "‹" },
    ...{ rsaquo: "›", ndash: "–", mdash: "—", hellip: "…", bull: "•", dagger: "†", Dagger: "‡", prime: "′" },
    ...{ Prime: "″", permil: "‰", euro: "€", trade: "™", fnof: "ƒ", circ: "ˆ", tilde: "˜", OElig: "Œ" },
    ...{ oelig: "œ", Scaron: "Š", scaron: "š", Yuml: "Ÿ", ensp: "\u2002", emsp: "\u2003", thinsp: "\u2009" },
    ...{ zwnj: "\u200c", zwj: "\u200d", larr: "←", uarr: "↑", rarr: "→", darr: "↓", harr: "↔", hearts: "♥" },
    ...{ spades: "♠", clubs: "♣", diams: "♦", infin: "∞", minus: "−", ne: "≠", le: "≤", ge: "≥", radic: "√" },
    ...{ isin: "∈", notin: "∉" },
  }),
);
const LONGEST_BARE = Math.max(...[...BARE.keys()].map((name) => name.length));
// Numbers 0x80–0x9f mean Windows-1252, as browsers read them (TextDecoder in Node 20 reads them as Latin-1).
const WINDOWS_1252 = "€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ";

/**
 * Replaces HTML character references (`&amp;`, `&#233;`, `&#xE9;`) as Python's `html.unescape` does, with its
 * rules for missing semicolons and bad numbers. Of the 2,231 names of HTML 5 it knows those of HTML 4 that
 * occur in captions (Latin-1, punctuation, arrows, card suits); others stay as they are.
 */
export function unescapeHtml(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(#\d+;?|#[xX][\da-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)/g, (reference, body: string) =>
    body.startsWith("#") ? fromNumber(body) : (fromName(body) ?? reference),
  );
}

function fromName(body: string): string | undefined {
  if (body.endsWith(";")) {
    const name = body.slice(0, -1);
    const character = BARE.get(name) ?? WITH_SEMICOLON.get(name);
    if (character !== undefined) return character;
  }
  for (let length = Math.min(body.length, LONGEST_BARE); length > 1; length--) {
    const character = BARE.get(body.slice(0, length));
    if (character !== undefined) return character + body.slice(length);
  }
  return undefined;
}

function fromNumber(body: string): string {
  const hex = /^#[xX]/.test(body);
  const code = Number.parseInt(body.slice(hex ? 2 : 1), hex ? 16 : 10);
  if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return "\ufffd";
  if (code >= 0x80 && code <= 0x9f) return WINDOWS_1252[code - 0x80]!;
  const character = String.fromCodePoint(code);
  const allowed = "\t\n\f\r".includes(character) || !/[\p{Cc}\p{Noncharacter_Code_Point}]/u.test(character);
  return allowed ? character : "";
}
