/** A number as the bits of the float16 nearest to it below in magnitude; for |value| < 65504. */
export function toHalf(value: number): number {
  const sign = value < 0 ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude || 1e-9)));
  const fraction = Math.trunc(magnitude / 2 ** (exponent - 10));
  return sign | (fraction >= 1024 ? ((exponent + 15) << 10) | (fraction & 1023) : fraction);
}
