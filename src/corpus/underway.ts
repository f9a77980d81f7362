/** Which images a process has in hand, on disk, so that the next one knows what the last one died of. */
import { closeSync, ftruncateSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { guardWrite, makeFolder } from "../support/files.ts";

/** An image that was in hand when so many processes died, after the first of them alone, is not touched again. */
export const TRIES = 4;

/** Images under way in the process that makes a shard. */
export interface Underway {
  /** How many processes died with an image in hand; those with none are left out. */
  readonly tries: ReadonlyMap<string, number>;
  /** Notes that an image is taken in hand. It is in hand until the journal has it. */
  take(path: string): void;
  /** Forgets what is in hand: the process ends, and is not killed. How often others died is kept. */
  close(): void;
  /** Closes it and removes its file: the shard is finished. */
  discard(): void;
}

/**
 * Opens the list of what is under way. What an earlier process left in it, and the journal does not have, it died with.
 * A kill that nobody's image is to blame for counts too: such images are then done one by one, and that is all.
 * @param isDone whether the journal has an image
 */
export async function openUnderway(path: string, isDone: (image: string) => boolean): Promise<Underway> {
  const tries = new Map<string, number>();
  const inHand = new Set<string>();
  for (const [image, died] of readLines(path)) {
    if (isDone(image)) continue;
    if (died === 0) inHand.add(image);
    else tries.set(image, died);
  }
  for (const image of inHand) tries.set(image, (tries.get(image) ?? 0) + 1);
  const known = [...tries].map((entry) => `${JSON.stringify(entry)}\n`).join("");
  // Written and not synced: a process that dies takes nothing with it that it gave to the system.
  let file: number | undefined = await guardWrite(path, async () => {
    await makeFolder(dirname(path));
    const opened = openSync(path, "w");
    writeSync(opened, known);
    return opened;
  });
  const end = () => {
    if (file !== undefined) closeSync(file);
    file = undefined;
  };
  return {
    tries,
    take(image) {
      if (file !== undefined) writeSync(file, `${JSON.stringify([image, 0])}\n`);
    },
    close() {
      if (file === undefined) return;
      // By its descriptor: the folder may be gone.
      ftruncateSync(file, Buffer.byteLength(known));
      end();
    },
    discard() {
      end();
      rmSync(path, { force: true });
    },
  };
}

/** Lines that are whole. */
function readLines(path: string): [string, number][] {
  let text = "";
  try {
    text = readFileSync(path, "utf8");
  } catch {
    // There was no such run.
  }
  return text.split("\n").flatMap((line): [string, number][] => {
    try {
      const [image, died] = JSON.parse(line) as unknown[];
      return typeof image === "string" && typeof died === "number" ? [[image, died]] : [];
    } catch {
      return [];
    }
  });
}
