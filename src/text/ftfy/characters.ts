/** Latin letters in one character that are a slip of copying, as the letters themselves. */
const LIGATURES = new Map<string, string>(
  Object.entries({
    ...{ Ĳ: "IJ", ĳ: "ij", ŉ: "ʼn", Ǳ: "DZ", ǲ: "Dz", ǳ: "dz", Ǆ: "DŽ", ǅ: "Dž", ǆ: "dž", Ǉ: "LJ", ǈ: "Lj" },
    ...{
      ǉ: "lj",
      Ǌ: "NJ",
      ǋ: "Nj",
      ǌ: "nj",
      ﬀ: "ff",
      ﬁ: "fi",
      ﬂ: "fl",
      ﬃ: "ffi",
      ﬄ: "ffl",
      ﬅ: "ſt",
      ﬆ: "st",
    },
  }),
);
const LIGATURE = new RegExp(`[${[...LIGATURES.keys()].join("")}]`, "g");

/** Takes Latin ligatures apart. */
export const splitLigatures = (text: string): string =>
  text.replace(LIGATURE, (ligature) => LIGATURES.get(ligature)!);

/** Characters of half and full width, and the ideographic space, in their usual width. */
export const fixWidths = (text: string): string =>
  text.replace(/[\u3000\uff01-\uffef]/g, (wide) => (wide === "\u3000" ? " " : wide.normalize("NFKC")));

/** Typographic quotes as those of a typewriter. */
export const uncurlQuotes = (text: string): string =>
  text.replace(/[\u201c-\u201f]/g, '"').replace(/[\u02bc\u2018-\u201b]/g, "'");

/** Every kind of line break as a line feed. */
export const fixLineBreaks = (text: string): string => text.replace(/\r\n|[\r\u2028\u2029\x85]/g, "\n");

/** Halves of surrogate pairs as lost characters. */
export const fixSurrogates = (text: string): string => text.replace(/\p{Surrogate}/gu, "\ufffd");

/** Leaves out colours and the like for a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escapes are what is to be removed
export const removeTerminalEscapes = (text: string): string => text.replace(/\x1b\[[\p{Nd};]*[a-zA-Z]/gu, "");

/** Leaves out controls that are never meant: of ASCII (not white space), of old Arabic, marks of annotation and byte order. */
export const removeControls = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to be removed
  text.replace(/[\x00-\x08\x0b\x0e-\x1f\x7f\u206a-\u206f\ufeff\ufff9-\ufffc]/g, "");
