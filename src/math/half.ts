/*
 * Float16 (IEEE 754 binary16) as bits in a Uint16Array: Node 20 has no Float16Array.
 */

const floats = new Float32Array(1);
const bits = new Uint32Array(floats.buffer);

/** Rounds each value to the nearest float16, ties to even, and gives its bits. Too large a value becomes infinity. */
export function toHalf(values: Float32Array, into = new Uint16Array(values.length), at = 0): Uint16Array {
  for (let i = 0; i < values.length; i++) into[at + i] = halfBits(values[i]);
  return into;
}

function halfBits(value: number): number {
  floats[0] = value;
  const word = bits[0];
  const sign = (word >>> 16) & 0x8000;
  const exponent = (word >>> 23) & 0xff;
  const fraction = word & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (fraction === 0 ? 0 : 0x200);
  const shifted = exponent - 112;
  if (shifted >= 31) return sign | 0x7c00;
  if (shifted <= 0) {
    if (shifted < -10) return sign;
    // Subnormal: the hidden bit becomes a real one.
    return sign | roundShift(fraction | 0x800000, 14 - shifted);
  }
  // A carry out of the fraction rightly raises the exponent, up to infinity.
  return sign | ((shifted << 10) + roundShift(fraction, 13));
}

/** value / 2^shift, rounded to the nearest integer, halves to the even one. */
function roundShift(value: number, shift: number): number {
  const whole = value >>> shift;
  const rest = value & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return whole + (rest > half || (rest === half && (whole & 1) === 1) ? 1 : 0);
}

let table: Float32Array | undefined;

/** The value of every float16, by its bits. */
function valueTable(): Float32Array {
  table ??= Float32Array.from({ length: 65536 }, (_, half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const [exponent, fraction] = [(half >>> 10) & 31, half & 1023];
    if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
  });
  return table;
}

/** The values of float16 bits; exact. */
export function fromHalf(halves: Uint16Array, into = new Float32Array(halves.length), at = 0): Float32Array {
  const values = valueTable();
  for (let i = 0; i < halves.length; i++) into[at + i] = values[halves[i]];
  return into;
}
