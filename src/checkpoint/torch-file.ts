import type { Binary } from "../support/binary.ts";
import type { Bytes } from "../support/bytes.ts";
import { unpickle } from "./pickle.ts";
import {
  ALL_DTYPE_BYTES,
  DTYPE_BYTES,
  type LeftOut,
  type TensorRef,
  type WeightDtype,
} from "./safetensors.ts";
import { isKind, type Module, type PickleValue, type Tensor } from "./torch-objects.ts";
import { type Fail, quoted, type WeightSource, withWeightSource } from "./weight-source.ts";
import { locateEntry, readZipDirectory, type ZipEntry } from "./zip.ts";

/** A ViT-L's pickle is 60 kB, with its optimizer's state 300 kB. */
const MAX_PICKLE_BYTES = 64 * 1024 * 1024;
const SAVE_AGAIN =
  "Load it in PyTorch and save its state_dict() again, with torch.save or better as safetensors.";

/**
 * Reads a `.bin`, `.pt` or `.pth` file written by torch.save (PyTorch 1.6 or later): a zip archive of a pickle, which
 * describes the tensors, and the tensors' bytes as they are. The tensors given back point into the archive; nothing
 * is copied, and nothing in the file is ever run ({@link unpickle}).
 *
 * The file holds a state dict, or a dict with one under a name that training runs use ({@link NESTED}), or is a TorchScript
 * archive, of which the modules' tensors are read and the program is not. Values that are no
 * tensors, and tensors of other types than {@link WeightDtype}, are left out.
 *
 * @param leftOut is given the types of those tensors, by name
 * @returns the weights by name, in the file's order
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`; `CHECKPOINT_INVALID` for anything damaged, hostile or not contiguous
 */
export async function readTorchFile(
  bytes: Bytes,
  path: string,
  leftOut: LeftOut = new Map(),
): Promise<Map<string, TensorRef>> {
  return withWeightSource(bytes, path, async (source) => {
    const { fail, file } = source;
    await refuseOtherFormats(source);
    const entries = await readZipDirectory(source);
    const root = findRoot(entries, fail);
    const script = isScript(entries, root);
    const byteOrder = await readSmall(source, entries.get(`${root}byteorder`));
    if (byteOrder && byteOrder.utf8() !== "little") throw fail("its numbers are not little-endian");
    const pickle = (await readSmall(source, entries.get(`${root}data.pkl`))) as Binary;
    const tensors = new Map<string, TensorRef>();
    const starts = new Map<ZipEntry, number>();
    for (const [name, tensor] of stateDict(unpickle(pickle, fail, script), fail)) {
      const { key, dtype } = tensor.storage;
      const entry = entries.get(`${root}data/${key}`);
      if (!entry) throw fail(`the bytes of tensor ${quoted(name)} (data/${key}) are missing`);
      checkTensor(name, tensor, entry.size, fail);
      const start = starts.get(entry) ?? (await locateEntry(source, entry));
      starts.set(entry, start);
      if (!(dtype in DTYPE_BYTES)) {
        leftOut.set(name, dtype);
        continue;
      }
      const offset = start + tensor.offset * ALL_DTYPE_BYTES[dtype];
      tensors.set(name, { name, file, dtype: dtype as WeightDtype, shape: tensor.shape, offset });
    }
    return tensors;
  });
}

async function refuseOtherFormats({ size, read, fail }: WeightSource): Promise<void> {
  const start = (await read(0, Math.min(size, 4))).latin1();
  if (start === "PK\x03\x04") return;
  // PROTO 2, then a LONG1 of 10 bytes: the magic number of torch.save before 1.6.
  if (start === "\x80\x02\x8a\x0a") {
    throw fail("is in the format of PyTorch before 1.6", { hint: SAVE_AGAIN });
  }
  throw fail("is not a zip archive as torch.save writes it");
}

/** The folder in the archive that holds everything, with its slash. */
function findRoot(entries: ReadonlyMap<string, ZipEntry>, fail: Fail): string {
  const names = [...entries.keys()];
  const roots = names.filter((name) => /^[^/]+\/data\.pkl$/.test(name)).map((name) => name.slice(0, -8));
  const [root] = roots;
  if (!root || roots.length > 1) throw fail("is a zip archive, but not one that torch.save wrote (data.pkl)");
  return root;
}

/** Whether an archive is TorchScript's: a program, which is left alone, with the modules that it works on. */
const isScript = (entries: ReadonlyMap<string, ZipEntry>, root: string): boolean =>
  entries.has(`${root}constants.pkl`) || [...entries.keys()].some((name) => name.startsWith(`${root}code/`));

/** The bytes of an entry that is not a tensor's. */
async function readSmall(source: WeightSource, entry: ZipEntry | undefined): Promise<Binary | undefined> {
  if (!entry) return undefined;
  if (entry.size > MAX_PICKLE_BYTES) throw source.fail(`${quoted(entry.name)} has ${entry.size} bytes`);
  return source.read(await locateEntry(source, entry), entry.size);
}

/** Where training runs keep the state dict, beside the optimizer's state and the like. */
const NESTED = ["state_dict", "model_state_dict", "model"];

/** The tensors by name of a state dict, or of the one under a name of {@link NESTED}, at any depth. */
function stateDict(value: PickleValue, fail: Fail): [string, Tensor][] {
  if (isKind(value, "module")) return moduleTensors(value, fail);
  let dict = value;
  // A dict may hold itself, so depth is bounded.
  for (let depth = 0; depth < 4 && dict instanceof Map; depth++) {
    const outer: Map<PickleValue, PickleValue> = dict;
    const nested = NESTED.map((name) => outer.get(name)).find((inner) => inner instanceof Map);
    if (!nested) break;
    dict = nested;
  }
  if (!(dict instanceof Map)) throw fail("holds no state dict", { hint: SAVE_AGAIN });
  const tensors: [string, Tensor][] = [];
  for (const [name, tensor] of dict) {
    if (typeof name === "string" && isKind(tensor, "tensor")) tensors.push([name, tensor]);
  }
  if (tensors.length > 0) return tensors;
  const keys = [...dict.keys()].filter((key) => typeof key === "string").map(quoted);
  const what =
    keys.length > 0 ? `; it has ${keys.slice(0, 8).join(", ")}${keys.length > 8 ? ", …" : ""}` : "";
  throw fail(
    `holds no tensors where a state dict is looked for (at the top, or under ${NESTED.join(", ")})${what}`,
    {
      hint: SAVE_AGAIN,
    },
  );
}

/** Modules inside modules that are looked into. */
const MAX_DEPTH = 32;

/** A module's tensors under the names that its `state_dict()` has. A module is looked into once, wherever it is named. */
function moduleTensors(whole: Module, fail: Fail): [string, Tensor][] {
  const seen = new Set<Module>();
  const tensors: [string, Tensor][] = [];
  const look = (module: Module, prefix: string, depth: number): void => {
    if (seen.has(module)) return;
    seen.add(module);
    if (depth > MAX_DEPTH) throw fail("its modules are nested too deep");
    for (const [name, value] of module.attributes) {
      if (typeof name !== "string") continue;
      if (isKind(value, "tensor")) tensors.push([`${prefix}${name}`, value]);
      else if (isKind(value, "module")) look(value, `${prefix}${name}.`, depth + 1);
    }
  };
  look(whole, "", 0);
  if (tensors.length === 0) throw fail("is a TorchScript archive without weights");
  return tensors;
}

/** Checks that a tensor's elements lie one after another, in C order and inside its storage. */
function checkTensor(name: string, { storage, offset, shape, strides }: Tensor, bytes: number, fail: Fail) {
  const what = `tensor ${quoted(name)} [${shape.join(", ")}]`;
  if (storage.length * ALL_DTYPE_BYTES[storage.dtype] !== bytes) {
    throw fail(`the storage of ${what} claims ${storage.length} elements and has ${bytes} bytes`);
  }
  const elements = shape.reduce((product, size) => product * size, 1);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    // Along an axis of one element no step is ever taken.
    if (elements > 0 && shape[axis] !== 1 && strides[axis] !== step) {
      throw fail(`${what} is not contiguous (strides ${strides.join(", ")})`, {
        hint: `Call contiguous() on it before saving. ${SAVE_AGAIN}`,
      });
    }
    step *= shape[axis];
  }
  // Written so that a product too large for a number (Infinity, or NaN with a 0) fails too.
  if (!(offset + elements <= storage.length)) {
    throw fail(`${what} needs ${elements} elements from ${offset} of a storage of ${storage.length}`);
  }
}
