/** What the test of a browser's private files runs in a page: files of a server, kept, by calls that a test can make. */
import { findWebModel } from "../../src/hub/web-place.ts";
import { ClipInterpretError } from "../../src/support/errors.ts";
import { keptBytes } from "../../src/support/kept-bytes.ts";
import { type PrivateFolder, privateBytes } from "../../src/support/private-files.ts";
import type { WebBytes } from "../../src/support/web-bytes.ts";
import { webParts } from "../../src/support/web-parts.ts";

const places = new Map<string, { bytes: WebBytes; stopper: AbortController; folder: PrivateFolder }>();

/** A place in the private files for a folder of a server. */
async function open(name: string, at: string): Promise<void> {
  const root = (await navigator.storage.getDirectory()) as unknown as PrivateFolder;
  const folder = await root.getDirectoryHandle(name, { create: true });
  const stopper = new AbortController();
  const parts = webParts({ signal: () => stopper.signal });
  const place = findWebModel(at, "https://hub.invalid", at);
  const onProgress = (_: string, done: number) => {
    if (done >= kept.stopAt) stopper.abort();
  };
  const bytes = keptBytes({ folder, parts, list: (of) => place.list(parts, of), onProgress });
  places.set(name, { bytes, stopper, folder });
}

/** Calls that cross from a test into the page, with plain data; errors as code and message. */
const kept = {
  stopAt: Number.POSITIVE_INFINITY,
  open,
  async call(name: string, method: string, ...args: readonly unknown[]): Promise<unknown> {
    try {
      const { bytes, folder } = places.get(name)!;
      switch (method) {
        case "names":
          return { value: [...(await bytes.names(args[0] as string))] };
        case "read":
          return { value: [...(await bytes.read(args[0] as string))] };
        case "size":
          return { value: await bytes.open(args[0] as string, async ({ size }) => size) };
        case "part":
          return {
            value: [
              ...(await bytes.open(args[0] as string, ({ read }) =>
                read(args[1] as number, args[2] as number),
              )),
            ],
          };
        case "hash":
          return { value: await bytes.hash(args[0] as string[]) };
        case "identify":
          return { value: await bytes.identify(args[0] as string) };
        case "bytes":
          return { value: await privateBytes(folder) };
        default:
          throw new Error(`no ${method}`);
      }
    } catch (error) {
      if (!(error instanceof ClipInterpretError)) return { code: "INTERNAL", message: String(error) };
      const { code, message, hint } = error;
      return { code, message, hint };
    }
  },
  /** Changes a byte of every piece that is kept. */
  async damage(name: string): Promise<number> {
    let count = 0;
    const walk = async (folder: PrivateFolder): Promise<void> => {
      for await (const entry of folder.values()) {
        if (entry.kind === "directory") await walk(entry);
        else if (/^\d+-\d+-/.test(entry.name)) {
          const body = new Uint8Array(await (await entry.getFile()).arrayBuffer());
          if (body.length > 0) body[body.length - 1]! ^= 1;
          const file = await entry.createWritable();
          await file.write(body);
          await file.close();
          count++;
        }
      }
    };
    await walk(places.get(name)!.folder);
    return count;
  },
};
export type Kept = typeof kept;
Object.assign(globalThis, { kept });
