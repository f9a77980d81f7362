const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

/** The 256 bytes by characters that can be seen, in the order of GPT-2's table: those that are first, then the others. */
export function byteCharacters(): ReadonlyMap<string, number> {
  const seen = [...range(0x21, 0x7e), ...range(0xa1, 0xac), ...range(0xae, 0xff)];
  const others = range(0, 0xff).filter((byte) => !seen.includes(byte));
  const codes = [...seen, ...others.map((_, i) => 0x100 + i)];
  return new Map([...seen, ...others].map((byte, i) => [String.fromCharCode(codes[i]), byte]));
}
