/** What a store holds of images, by addresses: everything below one, one object, patterns, and lists that lie there. */
import { basename, extname, posix } from "node:path";
import picomatch from "picomatch";
import { ClipInterpretError } from "../support/errors.ts";
import type { Report } from "../support/progress.ts";
import { isOthers, isReadableName, kindOf, refusalOf } from "./picture-names.ts";
import { countOther, NO_FACTORS, type PassedOver, type Source, type SourceImage } from "./source-image.ts";
import { commonFolderOf, isList, readList } from "./source-list.ts";
import { isPacked } from "./source-packed.ts";
import type { Store } from "./store.ts";
import { isStoreAddress, placeOf, storeAt } from "./store-at.ts";

interface StoreScan {
  readonly root?: string | undefined;
  readonly hidden?: boolean | undefined;
  readonly report?: Report | undefined;
}

/** A list in a store is read whole. */
const MOST_LIST = 256e6;

/**
 * The images that addresses name.
 * @throws `USAGE` where addresses and paths, or buckets, are mixed; `INPUT_NOT_FOUND`, `LIST_INVALID`; what reading a store throws
 */
export async function findInStore(inputs: readonly string[], options: StoreScan): Promise<Source> {
  if (!inputs.every(isStoreAddress))
    throw new ClipInterpretError(
      "USAGE",
      "addresses of a store and paths of this machine cannot be named together",
    );
  const [first] = inputs;
  if (inputs.length === 1 && isList(first)) {
    const [name, store] = [basename(first), storeAt(posix.dirname(first).replace(/^s3:\/(?=[^/])/, "s3://"))];
    const size = await store.size(name);
    if (size === undefined) throw new ClipInterpretError("INPUT_NOT_FOUND", `no such file: ${first}`);
    if (size > MOST_LIST)
      throw new ClipInterpretError("LIST_INVALID", `${first} is longer than ${MOST_LIST / 1e6} MB`);
    const list = { name: first, kind: extname(first).toLowerCase(), from: store.where };
    return readList({ ...list, bytes: await store.read(name) }, options);
  }
  const scans = inputs.map((input) => picomatch.scan(placeOf(input)));
  const bases = scans.map(({ glob, base }, i) => (glob === "" ? placeOf(inputs[i]) : base));
  const root = options.root === undefined ? commonAddress(bases, inputs) : placeOf(options.root);
  const store = storeAt(root);
  const passed: PassedOver = { hidden: 0, others: {} };
  const found = new Map<string, SourceImage>();
  for (const [i, base] of bases.entries()) {
    const { glob } = scans[i];
    const below = insideAddress(root, base, inputs[i]);
    const before = found.size;
    const size = glob === "" && below !== "." ? await store.size(below) : undefined;
    if (size !== undefined) {
      const image = { path: below, bytes: size, listed: true, ...plain };
      found.set(below, { ...image, ...refusalOf(below) });
      continue;
    }
    const fits = glob === "" ? undefined : picomatch(glob, { dot: options.hidden ?? false });
    await addBelow(store, below, { found, passed, fits, hidden: options.hidden ?? false });
    if (found.size === before && inputs.length > 1)
      throw new ClipInterpretError("INPUT_NOT_FOUND", `nothing in the store is named by ${inputs[i]}`);
  }
  const images = [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  const named = images.filter(({ refused, path }) => !refused && !isPacked(path));
  const labels = new Map(named.map(({ path }) => [posix.dirname(path), posix.dirname(path)]));
  const several = labels.size > 1;
  const labelled = images.map((image) => {
    const folder = posix.dirname(image.path);
    const label = several && folder !== "." && !isPacked(image.path) ? (labels.get(folder) ?? folder) : null;
    return { ...image, label };
  });
  return { root, images: labelled, passed };
}

const plain = { label: null, factors: NO_FACTORS } as const;

/** Takes what a listing shows below a folder. */
async function addBelow(
  store: Store,
  folder: string,
  into: {
    readonly found: Map<string, SourceImage>;
    readonly passed: PassedOver;
    readonly fits: ((path: string) => boolean) | undefined;
    readonly hidden: boolean;
  },
): Promise<void> {
  const { found, passed, fits, hidden } = into;
  const own: SourceImage[] = [];
  /** Folders with a manifest, and those with shards: where both are, it is an index and none of the images. */
  const [manifests, shards] = [new Set<string>(), new Set<string>()];
  for await (const { name, size } of store.files(folder)) {
    const steps = name.split("/");
    if (steps.at(-1) === "manifest.json") manifests.add(steps.slice(0, -1).join("/"));
    const at = steps.indexOf("shards");
    if (at >= 0) shards.add(steps.slice(0, at).join("/"));
    if (fits && !fits(name) && !steps.some((_, i) => i > 0 && fits(steps.slice(0, i).join("/")))) continue;
    const path = folder === "." ? name : `${folder}/${name}`;
    if (!hidden && steps.some(isOthers)) passed.hidden++;
    else if (isReadableName(name) || isPacked(name)) own.push({ path, bytes: size, ...plain });
    else {
      const refusal = refusalOf(path);
      if (refusal.refused) own.push({ path, bytes: size, ...plain, ...refusal });
      else countOther(passed, kindOf(name));
    }
  }
  const indexes = [...manifests].filter((place) => place !== "" && shards.has(place));
  const prefix = folder === "." ? "" : `${folder}/`;
  for (const image of own)
    if (!indexes.some((place) => image.path.startsWith(`${prefix}${place}/`))) found.set(image.path, image);
}

/** What holds all of the addresses; one that names an object is held by what is above it. */
function commonAddress(bases: readonly string[], inputs: readonly string[]): string {
  if (bases.length > 1) return commonFolderOf(bases, inputs.slice(0, 2).join(", "));
  const [base] = bases;
  return isReadableName(base) || isPacked(base) ? base.slice(0, base.lastIndexOf("/")) : base;
}

/** An address as it is kept: relative to the root. @throws `LIST_INVALID` */
function insideAddress(root: string, address: string, given = address): string {
  if (address === root) return ".";
  if (address.startsWith(`${root}/`)) return address.slice(root.length + 1);
  throw new ClipInterpretError("LIST_INVALID", `${given} does not lie in ${root}`, {
    hint: "Name the address that all images lie below with --root.",
  });
}
