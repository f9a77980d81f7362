import { readFileSync, writeFileSync } from "node:fs";

/** A tensor with its bytes, for building test files. */
export interface RawTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** The bytes before the data: length and JSON header, padded to 8 bytes. */
export function safetensorsHeader(header: unknown): Buffer {
  const json = JSON.stringify(header);
  const text = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text]);
}

/** Lays tensors of these byte lengths one after another. */
export function layOut(
  tensors: Iterable<
    readonly [string, { readonly dtype: string; readonly shape: readonly number[]; readonly length: number }]
  >,
): Record<string, { dtype: string; shape: readonly number[]; data_offsets: [number, number] }> {
  let offset = 0;
  const header: ReturnType<typeof layOut> = {};
  for (const [name, { dtype, shape, length }] of tensors) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + length] };
    offset += length;
  }
  return header;
}

/** Writes a whole safetensors file. */
export function writeSafetensors(path: string, tensors: ReadonlyMap<string, RawTensor>): void {
  const sized = [...tensors].map(
    ([name, { dtype, shape, bytes }]) => [name, { dtype, shape, length: bytes.length }] as const,
  );
  const bodies = [...tensors.values()].map(({ bytes }) => bytes);
  writeFileSync(path, Buffer.concat([safetensorsHeader(layOut(sized)), ...bodies]));
}

/** Reads a whole safetensors file, trusting it. */
export function readRawTensors(path: string): Map<string, RawTensor> {
  const file = readFileSync(path);
  const start = 8 + Number(file.readBigUInt64LE());
  const { __metadata__: _, ...header } = JSON.parse(file.toString("utf8", 8, start)) as ReturnType<
    typeof layOut
  >;
  return new Map(
    Object.entries(header).map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]) => [name, { dtype, shape, bytes: file.subarray(start + from, start + to) }],
    ),
  );
}
