import { type AddedCorpus, ApiError, post } from "./api.ts";
import { queryClient } from "./queries.ts";

/** A folder, or some pictures, as a visitor hands them over. */
export interface Handed {
  readonly title: string;
  readonly files: readonly { readonly path: string; readonly file: File }[];
}

/** Files of a folder that are looked at: what has more is no folder of pictures. */
const MOST_FILES = 100_000;

/** What was chosen in a dialog of the browser. */
export function handedOver(list: FileList | readonly File[]): Handed {
  const files = [...list];
  const [folder] = files[0]?.webkitRelativePath.split("/") ?? [];
  if (folder)
    return {
      title: folder,
      files: files.map((file) => ({ path: file.webkitRelativePath.slice(folder.length + 1), file })),
    };
  const pictures = files.filter(({ type }) => type.startsWith("image/"));
  return {
    title: titleOf((pictures.length > 0 ? pictures : files).map(({ name }) => name)),
    files: files.map((file) => ({ path: file.name, file })),
  };
}

/** Lists and archives: they are no picture, and whoever takes folders says what is to be done. */
const OF_PICTURES = /\.(txt|csv|jsonl|parquet|zip|tar|tgz)$/i;

/** What was dropped, where that is a folder, several files or a list of some; undefined for a single picture. */
export function handedDrop({ items, files }: DataTransfer): Promise<Handed> | undefined {
  // They are there only as long as the event is.
  const entries = [...items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  if (!entries.some(({ isDirectory }) => isDirectory))
    return files.length > 1 || OF_PICTURES.test(files[0]?.name ?? "")
      ? Promise.resolve(handedOver([...files]))
      : undefined;
  return readEntries(entries);
}

async function readEntries(entries: readonly FileSystemEntry[]): Promise<Handed> {
  const [only] = entries;
  const from = entries.length === 1 ? `${only!.fullPath}/` : "/";
  const files: { path: string; file: File }[] = [];
  const pending = [...entries];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const entry = next;
    if (isFolder(entry)) pending.push(...(await entriesOf(entry)));
    else {
      const file = await new Promise<File>((resolve, reject) =>
        (entry as FileSystemFileEntry).file(resolve, reject),
      );
      files.push({ path: entry.fullPath.slice(from.length), file });
    }
    if (files.length + pending.length > MOST_FILES)
      throw new ApiError({
        code: "PICTURES_TOO_MANY",
        message: `More than ${MOST_FILES.toLocaleString("en")} files were dropped.`,
        hint: "Choose a folder with fewer, or index it with the command: clip-interpret index FOLDER.",
      });
  }
  return { title: titleOf(entries.map(({ name }) => name)), files };
}

const isFolder = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory;

/** All that is in a folder: browsers hand it out in parts. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return all;
    all.push(...some);
  }
}

const titleOf = ([first = "pictures", ...others]: readonly string[]): string =>
  others.length === 0 ? first : `${first} and ${others.length} more`;

/** Has a folder kept and looked at by a model. @returns what it is called from now on */
export async function give(handed: Handed, model: string): Promise<string> {
  const { corpus } = await post<AddedCorpus>("/api/corpora", { ...handed, model });
  await queryClient.invalidateQueries({ queryKey: ["corpora"] });
  return corpus;
}
