import { type Piece, sizeOf, tensorBytes } from "../checkpoint/pieces.ts";
import type { TensorRef, WeightDtype } from "../checkpoint/safetensors.ts";
import { nameIn } from "../support/paths.ts";
import * as pb from "./protobuf.ts";

/*
 * Where a graph's weights are: in the checkpoint's own file, inside the model file, or in a file beside it.
 */

const WEIGHT_TYPES: Record<WeightDtype, number> = { F64: 11, F32: 1, F16: 10, BF16: 16 };

/** Writes the fields of a TensorProto for a checkpoint's tensor. */
export type PlaceWeight = (tensor: TensorRef, name: string) => readonly Piece[];

/** A nested message field whose body is in pieces. */
export const message = (field: number, body: readonly Piece[]): Piece[] => [
  pb.lengthTag(field, sizeOf(body)),
  ...body,
];

const describe = ({ shape, dtype }: TensorRef, name: string): pb.Field[] => [
  ...shape.map((size) => pb.int(1, size)),
  pb.int(2, WEIGHT_TYPES[dtype]),
  pb.bytes(8, name),
];

const external = (tensor: TensorRef, name: string, file: string, offset: number): pb.Field[] => {
  const entry = (key: string, text: string) => pb.bytes(13, [pb.bytes(1, key), pb.bytes(2, text)]);
  return [
    ...describe(tensor, name),
    entry("location", file),
    entry("offset", String(offset)),
    entry("length", String(tensorBytes(tensor))),
    pb.int(14, 1),
  ];
};

/** In the checkpoint: nothing is copied. */
export const whereItLies: PlaceWeight = (tensor, name) =>
  external(tensor, name, nameIn(tensor.file), tensor.offset);

/** In the model file. */
export const inside: PlaceWeight = (tensor, name) => [
  ...describe(tensor, name),
  pb.lengthTag(9, tensorBytes(tensor)),
  tensor,
];

/** ONNX asks that external data start at multiples of this, so that it can be mapped. */
const PAGE = 4096;

/** In a file beside the model file, whose pieces are collected in `data`. */
export const beside =
  (file: string, data: Piece[]): PlaceWeight =>
  (tensor, name) => {
    const end = sizeOf(data);
    const padding = (PAGE - (end % PAGE)) % PAGE;
    data.push(new Uint8Array(padding), tensor);
    return external(tensor, name, file, end + padding);
  };
