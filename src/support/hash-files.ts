import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { inputError } from "./files.ts";

const AT_ONCE = 2 ** 20;

/** SHA-256 (hex) over files of this machine, one behind the other, in the calling thread. @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE` */
export async function hashFiles(paths: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  // One piece of memory: a stream's own pieces cost more than the hash.
  const piece = new Uint8Array(AT_ONCE);
  for (const path of paths) {
    try {
      const handle = await open(path);
      try {
        for (;;) {
          const { bytesRead } = await handle.read(piece);
          if (bytesRead === 0) break;
          hash.update(piece.subarray(0, bytesRead));
        }
      } finally {
        await handle.close();
      }
    } catch (cause) {
      throw inputError(path, cause);
    }
  }
  return hash.digest("hex");
}
