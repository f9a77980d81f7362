import { type Fail, quoted } from "./weight-source.ts";

/** A named thing that a pickle refers to: only ever compared by name, never looked up or run. */
export interface Global {
  readonly kind: "global";
  readonly name: string;
}

/** A run of numbers in the archive, which tensors are views of. */
export interface Storage {
  readonly kind: "storage";
  /** Element type, as safetensors names it. */
  readonly dtype: string;
  /** Names its entry in the archive, `data/<key>`. */
  readonly key: string;
  /** Number of elements. */
  readonly length: number;
}

/** A view of a storage. `offset` and `strides` count elements. */
export interface Tensor {
  readonly kind: "tensor";
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** A value that is known to be harmless and that no weight needs: a NumPy scalar, its type. Nothing of it is kept. */
export interface Inert {
  readonly kind: "inert";
}

/** A module of a TorchScript archive: its class is a name that is never looked up. */
export interface Module {
  readonly kind: "module";
  /** Parameters, buffers and modules by name; empty until the pickle sets them. */
  attributes: ReadonlyMap<PickleValue, PickleValue>;
}

/** What a checkpoint's pickle can hold here. Tuples and lists are both arrays. */
export type PickleValue =
  | (null | boolean | number | bigint | string | Uint8Array)
  | (Global | Storage | Tensor | Inert | Module)
  | PickleValue[]
  | Map<PickleValue, PickleValue>;

/** Element types by the name of PyTorch's storage class. */
const STORAGES: Readonly<Record<string, string>> = {
  "torch.FloatStorage": "F32",
  "torch.HalfStorage": "F16",
  "torch.BFloat16Storage": "BF16",
  "torch.DoubleStorage": "F64",
  "torch.LongStorage": "I64",
  "torch.IntStorage": "I32",
  "torch.ShortStorage": "I16",
  "torch.CharStorage": "I8",
  "torch.ByteStorage": "U8",
  "torch.BoolStorage": "BOOL",
  "torch.storage.UntypedStorage": "U8",
};

/**
 * What a training run's NumPy numbers (an epoch's loss, say) are made of. Calling one makes an {@link Inert} value,
 * whatever it is called with: the numbers are dropped.
 */
const INERT: ReadonlySet<string> = new Set([
  ...["numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar", "numpy.dtype", "_codecs.encode"],
]);

/** Every name that a pickle may mention. A dtype's name is a value and does nothing. */
const ALLOWED: ReadonlySet<string> = new Set([
  ...[...Object.keys(STORAGES), ...INERT],
  ...["collections.OrderedDict", "torch.Size"],
  ...["torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter"],
  ...["float32", "float16", "bfloat16", "float64", "int64", "int32", "int16", "int8", "uint8", "bool"].map(
    (dtype) => `torch.${dtype}`,
  ),
]);

/** More axes than any tensor has; a pickle can name one long tuple any number of times. */
const MAX_RANK = 32;
const NOT_EXECUTED =
  "Nothing in the file was executed. If you trust where it comes from, convert it to safetensors with PyTorch.";

/** The error for anything in a pickle that is more than data. */
export const refused = (fail: Fail, what: string) =>
  fail(`its pickle ${what}, which is not part of a state dict`, { hint: NOT_EXECUTED });

/** How a TorchScript archive's own classes are named. */
const SCRIPT_CLASS = "__torch__.";
/** What its lists are made of; called, they make {@link Inert} values. */
const SCRIPT_INERT = "torch.jit._pickle.";

/**
 * A name mentioned by the pickle, refused unless it is one of {@link ALLOWED}.
 * @param script whether it is a TorchScript archive's, where modules have classes
 */
export function findGlobal(module: string, name: string, script: boolean, fail: Fail): Global {
  const full = `${module}.${name}`;
  const isScript = script && (full.startsWith(SCRIPT_CLASS) || full.startsWith(SCRIPT_INERT));
  if (!ALLOWED.has(full) && !isScript) throw refused(fail, `names ${quoted(full)}`);
  return { kind: "global", name: full };
}

/** What calling a callable gives; calling anything but the few that are known is refused. */
export function construct(callee: PickleValue, args: PickleValue, fail: Fail): PickleValue {
  const name = isKind(callee, "global") ? callee.name : undefined;
  if (!name || !Array.isArray(args)) throw refused(fail, "calls something that is not a function");
  const [first] = args;
  if (INERT.has(name) || name.startsWith(SCRIPT_INERT)) return { kind: "inert" };
  if (name === "collections.OrderedDict" && args.length === 0) return new Map();
  if (name === "torch.Size" && args.length === 1 && Array.isArray(first)) return first;
  if (name === "torch._utils._rebuild_parameter" && args.length === 3 && isKind(first, "tensor"))
    return first;
  if (name === "torch._utils._rebuild_tensor_v2" && args.length >= 6 && args.length <= 7) {
    return makeTensor(args, fail);
  }
  throw refused(fail, `calls ${name} in an unknown way`);
}

/** A module without attributes, of a class of a TorchScript archive; anything else is refused. */
export function makeModule(type: PickleValue, args: PickleValue, fail: Fail): Module {
  const isClass = isKind(type, "global") && type.name.startsWith(SCRIPT_CLASS);
  if (!isClass || !Array.isArray(args) || args.length > 0) throw refused(fail, "makes an instance (NEWOBJ)");
  return { kind: "module", attributes: new Map() };
}

/** The storage that a persistent id means: `("storage", class, key, location, number of elements)`. */
export function loadPersistent(id: PickleValue, fail: Fail): Storage {
  const [tag, type, key, location, length] = Array.isArray(id) && id.length === 5 ? id : [];
  const dtype = isKind(type, "global") ? STORAGES[type.name] : undefined;
  if (tag !== "storage" || !dtype || typeof location !== "string" || !isCount(length)) {
    throw refused(fail, "has a persistent id that is not a storage");
  }
  if (typeof key !== "string" || !/^\d{1,20}$/.test(key)) throw fail("a storage's key is not a number");
  return { kind: "storage", dtype, key, length };
}

function makeTensor([storage, offset, shape, strides]: readonly PickleValue[], fail: Fail): Tensor {
  const isCounts = (value: PickleValue): value is number[] =>
    Array.isArray(value) && value.length <= MAX_RANK && value.every(isCount);
  if (
    !isKind(storage, "storage") ||
    !isCount(offset) ||
    !isCounts(shape) ||
    !isCounts(strides) ||
    shape.length !== strides.length
  ) {
    throw fail("a tensor's storage, offset, shape or strides are damaged");
  }
  return { kind: "tensor", storage, offset, shape, strides };
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** Whether a value is a {@link Global}, {@link Storage}, {@link Tensor}, {@link Inert} or {@link Module}. */
export function isKind<Kind extends "global" | "storage" | "tensor" | "inert" | "module">(
  value: PickleValue | undefined,
  kind: Kind,
): value is Extract<PickleValue, { kind: Kind }> {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === kind;
}
