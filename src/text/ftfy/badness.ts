// The rules are ftfy's (https://github.com/rspeer/python-ftfy), Copyright 2023 Robyn Speer, licensed under the Apache
// License, Version 2.0 (http://www.apache.org/licenses/LICENSE-2.0); here they are a list, kinds in angle brackets.
import { KINDS } from "./tables.ts";

const LETTERS = "<lower_accented><upper_accented>";
const SIGNS = "<start_punctuation><end_punctuation>";

/**
 * Characters that follow each other in mojibake and hardly anywhere else. Each line is a regular expression.
 */
const RULES: readonly string[] = [
  "[<c1>]",
  `[<bad>${LETTERS}<box>${SIGNS}<currency><numeric><law>][<bad>]`,
  "[a-zA-Z][<lower_common><upper_common>][<bad>]",
  `[<bad>][${LETTERS}<box>${SIGNS}<currency><numeric><law>]`,
  "[<lower_accented><lower_common><box><end_punctuation><currency><numeric>][<upper_accented>]",
  "[<box><end_punctuation><currency><numeric>][<lower_accented>]",
  "[<lower_accented><box><end_punctuation>][<currency>]",
  "<space>[<upper_accented>][<currency>]",
  "[<upper_accented><box>][<numeric><law>]",
  `[${LETTERS}<box><currency><end_punctuation>][<start_punctuation>][<numeric>]`,
  `[${LETTERS}<currency><numeric><box><law>][<end_punctuation>][<start_punctuation>]`,
  "[<currency><numeric><box>][<start_punctuation>]",
  "[a-z][<upper_accented>][<start_punctuation><currency>]",
  "[<box>][<kaomoji>]",
  `[${LETTERS}<currency><numeric>${SIGNS}<law>][<box>]`,
  "[<box>][<end_punctuation>]",
  `[${LETTERS}][${SIGNS}][\\p{L}\\p{N}_]`,
  // œ before anything but a plain letter, and degrees after a capital letter.
  "[Œœ][^A-Za-z]",
  "[<upper_accented>]°",
  // Windows-1252: two characters, then Arabic, South Asian scripts.
  `[ÂÃÎÐ][€œŠš¢£Ÿž\\u00a0\\u00ad®©°·»${SIGNS}–—´]`,
  "×[²³]",
  "(?:[ØÙ][<common><currency><bad><numeric><start_punctuation>ŸŠ®°µ»]){2}",
  "à[²µ¹¼½¾]",
  // MacRoman
  "√[±∂†≠®™´≤≥¥µø]",
  "≈[°¢]",
  "‚Ä[ìîïòôúùû†°¢π]",
  "‚[âó][àä°ê]",
  // Windows-1251
  "вЂ",
  `[ВГРС][<c1><bad>${SIGNS}<currency>°µ][ВГРС]`,
  "ГўВЂВ[^\\n][A-Za-z ]",
  // Windows-1252's à, á and no-break space, also where a plain space took its place.
  "Ã[\\u00a0¡]",
  "[a-z]<space>?[ÃÂ] ",
  "^[ÃÂ] ",
  `[a-z.,?!<end_punctuation>]Â[ ${SIGNS}]`,
  // Windows-1253
  "β€[™\\u00a0Ά\\u00ad®°]",
  `[ΒΓΞΟ][<c1><bad>${SIGNS}<currency>°][ΒΓΞΟ]`,
  // Windows-1257
  "ā€",
];

const SPACE = "[\\p{White_Space}\\x1c-\\x1f]";
const BAD = new RegExp(
  RULES.join("|").replace(/<(\w+)>/g, (_, kind: string) =>
    kind === "space" ? SPACE : KINDS[kind as keyof typeof KINDS],
  ),
  "u",
);

/** Whether a text looks as if UTF-8 had been read as another encoding somewhere in it. */
export const isBad = (text: string): boolean => BAD.test(text);
