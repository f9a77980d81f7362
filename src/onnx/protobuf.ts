/**
 * The few rules of the protobuf wire format that an ONNX file needs: a message is a list of fields, each a
 * tag (number and wire type) followed by a varint, four bytes, or a length and that many bytes.
 */
export type Field = Uint8Array;

const utf8 = new TextEncoder();

/** An unsigned or negative integer as a base-128 varint (negative numbers as 64-bit two's complement). */
function varint(value: number | bigint): number[] {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const more = rest > 127n;
    bytes.push(Number(rest & 127n) | (more ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return bytes;
}

/** An integer field. */
export const int = (field: number, value: number | bigint): Field =>
  Uint8Array.from([...varint(field << 3), ...varint(value)]);

/** A float32 field. */
export function float(field: number, value: number): Field {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return concat([Uint8Array.from(varint((field << 3) | 5)), bytes]);
}

/** A bytes, string or nested message field. */
export function bytes(field: number, value: string | Uint8Array | readonly Field[]): Field {
  const body =
    typeof value === "string" ? utf8.encode(value) : value instanceof Uint8Array ? value : concat(value);
  return concat([lengthTag(field, body.length), body]);
}

/** What comes before the body of a bytes, string or nested message field. */
export const lengthTag = (field: number, length: number): Field =>
  Uint8Array.from([...varint((field << 3) | 2), ...varint(length)]);

/** A message's bytes: its fields one after another. */
export function concat(fields: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(fields.reduce((length, field) => length + field.length, 0));
  let at = 0;
  for (const field of fields) {
    whole.set(field, at);
    at += field.length;
  }
  return whole;
}
