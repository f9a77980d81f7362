/*
 * SHA-256 as FIPS 180-4 has it, for where there is no other: a few hundred megabytes a second.
 */

/** A SHA-256 under way. */
export interface Sha256 {
  /** Takes bytes, or a text in UTF-8. */
  update(data: string | Uint8Array): void;
  /** In hex. */
  digest(): string;
}

const BLOCK = 64;
/** Fractions of the cube roots of the first 64 primes, and of the square roots of the first eight. */
const PRIMES = firstPrimes(64);
const ROUND = Int32Array.from(PRIMES, (prime) => fraction(Math.cbrt(prime)));
const START = Int32Array.from(PRIMES.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return primes;
}

/** The first 32 bits behind the point. */
function fraction(root: number): number {
  return ((root - Math.trunc(root)) * 2 ** 32) | 0;
}

/** Begins a hash. */
export function ownSha256(): Sha256 {
  const state = START.slice();
  const words = new Int32Array(64);
  const block = new Uint8Array(BLOCK);
  let held = 0;
  let total = 0;
  const take = (data: Uint8Array) => {
    total += data.length;
    let at = 0;
    if (held > 0) {
      at = Math.min(BLOCK - held, data.length);
      block.set(data.subarray(0, at), held);
      held += at;
      if (held < BLOCK) return;
      compress(state, words, block, 0);
      held = 0;
    }
    for (; at + BLOCK <= data.length; at += BLOCK) compress(state, words, data, at);
    block.set(data.subarray(at));
    held = data.length - at;
  };
  return {
    update: (data) => take(typeof data === "string" ? new TextEncoder().encode(data) : data),
    digest() {
      const bits = BigInt(total) * 8n;
      // A one, zeros up to eight bytes before a block's end, and how many bits there were.
      const end = new Uint8Array(BLOCK * (held < BLOCK - 8 ? 1 : 2) - held);
      end[0] = 0x80;
      new DataView(end.buffer).setBigUint64(end.length - 8, bits);
      take(end);
      return Array.from(state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
    },
  };
}

function compress(state: Int32Array, w: Int32Array, data: Uint8Array, at: number): void {
  for (let i = 0, p = at; i < 16; i++, p += 4)
    w[i] = (data[p]! << 24) | (data[p + 1]! << 16) | (data[p + 2]! << 8) | data[p + 3]!;
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15]!;
    const y = w[i - 2]!;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = (w[i - 16]! + s0 + w[i - 7]! + s1) | 0;
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [
    ...[number, number, number, number],
    ...[number, number, number, number],
  ];
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUND[i]! + w[i]!) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  for (const [i, value] of [a, b, c, d, e, f, g, h].entries()) state[i]! += value;
}
