/*
 * What a PNG says of itself: a tEXt chunk with a picture's origin, as its SVG has it. Written by hand, as what draws
 * PNGs, in Node and in a browser alike, has no way to.
 */

/** Signature and IHDR chunk: what every PNG begins with. */
const HEAD = 8 + 25;
const KEYWORD = "origin";

/** A PNG that holds the origin which its SVG has as metadata; the PNG as it is where the SVG has none. */
export function withOrigin(png: Uint8Array, svg: string): Uint8Array {
  const [, metadata] = /<metadata>(.*?)<\/metadata>/s.exec(svg) ?? [];
  if (metadata === undefined) return png;
  const chunk = textChunk(KEYWORD, asciiJson(unescapeXml(metadata)));
  const all = new Uint8Array(png.length + chunk.length);
  all.set(png.subarray(0, HEAD));
  all.set(chunk, HEAD);
  all.set(png.subarray(HEAD), HEAD + chunk.length);
  return all;
}

/** The origin that {@link withOrigin} wrote, as JSON; undefined where there is none. */
export function originIn(png: Uint8Array): string | undefined {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const latin1 = (from: number, to: number) => String.fromCharCode(...png.subarray(from, to));
  for (let at = 8; at + 12 <= png.length; ) {
    const length = view.getUint32(at);
    const data = at + 8;
    if (latin1(at + 4, data) === "tEXt" && latin1(data, data + KEYWORD.length + 1) === `${KEYWORD}\0`)
      return latin1(data + KEYWORD.length + 1, data + length);
    at = data + length + 4;
  }
  return undefined;
}

const unescapeXml = (text: string) =>
  text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&apos;", "'")
    .replaceAll("&amp;", "&");

/** tEXt is Latin-1; JSON can say everything in ASCII. */
const asciiJson = (json: string) =>
  json.replace(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);

function textChunk(keyword: string, text: string): Uint8Array {
  const body = Uint8Array.from(`tEXt${keyword}\0${text}`, (character) => character.charCodeAt(0));
  const chunk = new Uint8Array(body.length + 8);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, body.length - 4);
  chunk.set(body, 4);
  view.setUint32(body.length + 4, crc32(body));
  return chunk;
}

/** As PNG wants it (ISO 3309). */
function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
