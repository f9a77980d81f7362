/** A folder as a page is given it: a list of files, each by its path from the folder. */
import { nameIn } from "../support/paths.ts";
import { MANIFEST_FILE } from "./manifest.ts";
import {
  FORMAT_HEAD,
  isContainer,
  isOthers,
  judge,
  kindOf,
  mayBePicture,
  needsHead,
} from "./picture-names.ts";
import {
  countOther,
  labelled,
  NO_FACTORS,
  type PassedOver,
  type Source,
  type SourceImage,
} from "./source-image.ts";

/** As much of a browser's `File` as is used. */
export interface GivenFile {
  /** From the folder, with forward slashes. */
  readonly path: string;
  readonly file: {
    readonly size: number;
    readonly lastModified: number;
    slice(start: number, end: number): { arrayBuffer(): Promise<ArrayBuffer> };
    arrayBuffer(): Promise<ArrayBuffer>;
  };
}

/**
 * The pictures of a folder, as `scanSource` finds them on a disk: in the order of their paths, labelled by the folders that they
 * lie in. Lists are no pictures here, and archives are refused.
 * @param root what the folder is called
 */
export async function sourceOfFiles(root: string, given: readonly GivenFile[]): Promise<Source> {
  const passed: PassedOver = { hidden: 0, others: {} };
  const hidden = new Set<string>();
  const indexes = foldersOfIndexes(given.map(({ path }) => path));
  const found: SourceImage[] = [];
  for (const { path, file } of given) {
    const steps = path.split("/");
    const others = steps.findIndex(isOthers);
    if (others >= 0) {
      hidden.add(steps.slice(0, others + 1).join("/"));
      continue;
    }
    if (indexes.some((folder) => path.startsWith(`${folder}/`))) continue;
    if (!isContainer(path) && !mayBePicture(path)) {
      countOther(passed, kindOf(path));
      continue;
    }
    const seen = { bytes: file.size, mtime: file.lastModified };
    const head = needsHead(path) ? await headOf(file) : undefined;
    const judged = judge(path, seen, head);
    if ("kind" in judged) countOther(passed, judged.kind);
    else if (!isContainer(path)) found.push({ path, ...judged, ...PLAIN });
    else {
      const message = `${path} is an archive of pictures: it is read by the command, and not in a page`;
      found.push({ path, ...seen, refused: { code: "IMAGE_UNSUPPORTED", message }, ...PLAIN });
    }
  }
  passed.hidden = hidden.size;
  return { root, images: labelled(found, []), passed };
}

const PLAIN = { label: null, factors: NO_FACTORS } as const;

const headOf = async (file: GivenFile["file"]) =>
  new Uint8Array(await file.slice(0, FORMAT_HEAD).arrayBuffer());

/** An index beside its photos is none of them. */
function foldersOfIndexes(paths: readonly string[]): string[] {
  return paths
    .filter((path) => nameIn(path) === MANIFEST_FILE && path.includes("/"))
    .map((path) => path.slice(0, -MANIFEST_FILE.length - 1))
    .filter((folder) => paths.some((path) => path.startsWith(`${folder}/shards/`)));
}
