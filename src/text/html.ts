import { UPPER_HALVES } from "./ftfy/tables.ts";
import { BARE_HTML_NAMES, HTML_NAMES } from "./html-names.ts";

const NAMES = new Map(
  HTML_NAMES.split(/\s/).map((pair) => {
    const [name, codes] = pair.split("=") as [string, string];
    return [name, codes.split("+").map(fromHex).join("")];
  }),
);
const BARE = new Set(BARE_HTML_NAMES.split(/\s/));
const LONGEST_BARE = Math.max(...[...BARE].map((name) => name.length));
// What the numbers 0x80–0x9f mean to browsers too (TextDecoder in Node 20 reads them as Latin-1).
const WINDOWS_1252 = UPPER_HALVES["sloppy-windows-1252"];

/**
 * Replaces HTML character references (`&amp;`, `&#233;`, `&#xE9;`) as Python's `html.unescape` does, with its rules for
 * missing semicolons and bad numbers.
 */
export function unescapeHtml(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(#\d+;?|#[xX][\da-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)/gu, (reference, body: string) =>
    body.startsWith("#") ? fromNumber(body) : (fromName(body) ?? reference),
  );
}

function fromName(body: string): string | undefined {
  if (body.endsWith(";")) {
    const character = NAMES.get(body.slice(0, -1));
    if (character !== undefined) return character;
  }
  for (let length = Math.min(body.length, LONGEST_BARE); length > 1; length--) {
    const name = body.slice(0, length);
    if (BARE.has(name)) return NAMES.get(name)! + body.slice(length);
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

/**
 * Replaces only references that can mean nothing else, as ftfy does: with a semicolon, and names in capitals throughout
 * (`&EACUTE;`) where HTML has the name in small letters alone.
 */
export function unescapeClearHtml(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&#?[0-9A-Za-z]{1,24};/g, (reference) => {
    if (!reference.startsWith("&#")) return fromClearName(reference) ?? reference;
    const character = unescapeHtml(reference);
    return character.includes(";") ? reference : character;
  });
}

function fromClearName(reference: string): string | undefined {
  const name = reference.slice(1, -1);
  const known = NAMES.get(name);
  if (known !== undefined || name !== name.toUpperCase()) return known;
  return unescapeHtml(reference) === reference ? NAMES.get(name.toLowerCase())?.toUpperCase() : undefined;
}

function fromHex(code: string): string {
  return String.fromCodePoint(Number.parseInt(code, 16));
}
