/** A piece of a pickle: text stands for its bytes. */
export type Piece = Uint8Array | string;

/** Pieces one after another. */
export const join = (...pieces: readonly Piece[]): Buffer =>
  Buffer.concat(pieces.map((piece) => (typeof piece === "string" ? Buffer.from(piece, "latin1") : piece)));

/** A whole pickle that leaves the pieces' last value. */
export const pickle = (...pieces: readonly Piece[]): Buffer => join("\x80\x02", ...pieces, ".");

export function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return join("X", length, bytes);
}

/** BININT, or LONG1 of eight bytes. */
export function int(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return BigInt(value) === BigInt.asIntN(32, BigInt(value))
    ? join("J", bytes.subarray(0, 4))
    : join("\x8a\x08", bytes);
}

export const tuple = (...items: readonly Piece[]): Buffer => join("(", ...items, "t");
export const ints = (...values: readonly (number | bigint)[]): Buffer => tuple(...values.map(int));
/** `dict(key, value, key, value, …)` */
export const dict = (...items: readonly Piece[]): Buffer => join("}(", ...items, "u");
export const global = (module: string, name: string): Buffer => join(`c${module}\n${name}\n`);
export const stackGlobal = (module: string, name: string): Buffer => join(text(module), text(name), "\x93");
export const call = (callee: Piece, ...args: readonly Piece[]): Buffer => join(callee, tuple(...args), "R");

export const orderedDict: Buffer = call(global("collections", "OrderedDict"));

/** What torch.save writes for a storage of `length` numbers in `data/<key>`. */
export const storage = (key: string, length: number | bigint, type = "FloatStorage"): Buffer =>
  join(tuple(text("storage"), global("torch", type), text(key), text("cpu"), int(length)), "Q");

/** What torch.save writes for a tensor. */
export const tensor = (
  of: Piece,
  shape: readonly (number | bigint)[],
  strides: readonly (number | bigint)[],
  offset: number | bigint = 0,
): Buffer =>
  call(
    global("torch._utils", "_rebuild_tensor_v2"),
    ...[of, int(offset), ints(...shape), ints(...strides), "\x89", orderedDict],
  );
