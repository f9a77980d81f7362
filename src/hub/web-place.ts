import { z } from "zod";
import { ClipInterpretError } from "../support/errors.ts";
import type { WebFile, WebListing } from "../support/kept-bytes.ts";
import { folderOf, nameIn } from "../support/paths.ts";
import { reasonOf } from "../support/reason.ts";
import { USUAL_NAMES, type WebParts } from "../support/web-parts.ts";
import { findHubModel } from "./known-models.ts";

/** A model that a page can fetch: on a hub, or in a folder of some web server. */
export interface WebModelPlace {
  /** What it is called: a known name, a hub id, or an address. */
  readonly name: string;
  /** Where it is fetched from, for people. */
  readonly from: string;
  /** What is asked first. */
  readonly address: string;
  /** MB (10^6 bytes) of its weights, of a known model. */
  readonly megabytes: number | null;
  /** The address of its folder. Asks the hub which commit `main` is. */
  folder(parts: WebParts): Promise<string>;
  /** Which files a folder has. @throws `MODEL_NOT_FOUND`, `HUB_INVALID`, and what requests throw */
  list(parts: WebParts, folder: string): Promise<WebListing>;
}

/** Sums as `sha256sum` writes them, by which a folder's files are known without being fetched. */
const SUMS = "SHA256SUMS";
const SUM = /^([0-9a-f]{64}) [ *](.+)$/;
const WEIGHTS = /\.safetensors$/;

/**
 * Reads what was typed: `owner/name` or the name of a known model is on the hub, an address a folder's or a safetensors file's.
 *
 * @param hub its address, without a slash at the end
 * @param base against which addresses are read
 * @throws `MODEL_NOT_FOUND` for what is neither
 */
export function findWebModel(text: string, hub: string, base: string): WebModelPlace {
  const typed = text.trim().replace(/\/+$/, "");
  const own = hub === "" ? undefined : hubIdIn(typed, hub);
  if (own === undefined && /^(https?:\/\/|\.{0,2}\/)/.test(typed) && URL.canParse(typed, base)) {
    const found = findHubModel(typed);
    return found ? hubPlace(found, hub) : addressPlace(new URL(typed, base).href);
  }
  const found = findHubModel(own ?? typed);
  if (found) return hubPlace(found, hub);
  throw new ClipInterpretError("MODEL_NOT_FOUND", `${typed || "nothing"} is no model's name or address`, {
    hint: "Write owner/name of a CLIP on the Hugging Face Hub, or the address of a folder with its weights as safetensors.",
  });
}

/** `owner/name` in the address of a page on the hub. */
function hubIdIn(typed: string, hub: string): string | undefined {
  if (!typed.startsWith(`${hub}/`)) return undefined;
  return /^[^/?#]+\/[^/?#]+/.exec(typed.slice(hub.length + 1))?.[0];
}

const infoSchema = z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/) });
const treeSchema = z.array(
  z.object({
    type: z.string(),
    path: z.string(),
    size: z.int().nonnegative().default(0),
    lfs: z.object({ oid: z.string().regex(/^[0-9a-f]{64}$/), size: z.int().nonnegative() }).optional(),
  }),
);

function hubPlace(
  { name, hubId, known }: NonNullable<ReturnType<typeof findHubModel>>,
  hub: string,
): WebModelPlace {
  const api = `${hub}/api/models/${hubId}`;
  const ask = async <Schema extends z.ZodType>(parts: WebParts, address: string, schema: Schema) => {
    const { body } = await parts.whole(address).catch((error: unknown) => {
      if (!(error instanceof ClipInterpretError) || !/answers 40[13]|no such file/.test(error.message))
        throw error;
      const message = `${new URL(hub).host} has no ${hubId} that everybody may read`;
      throw new ClipInterpretError("HUB_NOT_FOUND", message, {
        hint: "Check the name; what is private or asks for terms to be accepted cannot be opened in this page.",
        cause: error,
      });
    });
    try {
      return schema.parse(JSON.parse(new TextDecoder().decode(body))) as z.infer<Schema>;
    } catch (cause) {
      throw new ClipInterpretError("HUB_INVALID", `what ${address} says: ${reasonOf(cause)}`, { cause });
    }
  };
  return {
    ...{ name, from: new URL(hub).host, address: api, megabytes: known?.approximateMegabytes ?? null },
    async folder(parts) {
      const { sha } = await ask(parts, `${api}/revision/main`, infoSchema);
      return `${hub}/${hubId}/resolve/${sha}`;
    },
    async list(parts, folder) {
      const [, commit, inside = ""] =
        /^([0-9a-f]{40})\/?(.*)$/.exec(folder.slice(`${hub}/${hubId}/resolve/`.length)) ?? [];
      if (!folder.startsWith(`${hub}/${hubId}/resolve/`) || commit === undefined)
        throw new ClipInterpretError("MODEL_NOT_FOUND", `${folder} is no folder of ${hubId}`);
      const below = inside === "" ? "" : `/${inside}`;
      const tree = await ask(parts, `${api}/tree/${commit}${below}`, treeSchema);
      const files = tree.filter(
        ({ type, path }) => type === "file" && path === withFolder(inside, nameIn(path)),
      );
      if (files.length === 0) throw new ClipInterpretError("MODEL_NOT_FOUND", `${hubId} has no files`);
      return {
        files: Object.fromEntries(
          files.map(({ path, size, lfs }): [string, WebFile] => [
            nameIn(path),
            lfs ? { bytes: lfs.size, sha256: lfs.oid } : { bytes: size },
          ]),
        ),
      };
    },
  };
}

const withFolder = (folder: string, name: string) => (folder === "" ? name : `${folder}/${name}`);

/** A folder, or one file of weights with its config and tokenizer beside it. */
function addressPlace(written: string): WebModelPlace {
  const address = written.replace(/[?#].*$/, "").replace(/\/+$/, "");
  const file = WEIGHTS.test(address) ? nameIn(address) : undefined;
  const at = file === undefined ? address : folderOf(address);
  return {
    ...{ name: address, from: new URL(at).host, address: at, megabytes: null },
    folder: async () => at,
    async list(parts, folder) {
      if (folder !== at) throw new ClipInterpretError("MODEL_NOT_FOUND", `${folder} is not the model's`);
      const names = USUAL_NAMES.filter((name) => file === undefined || !name.includes(".safetensors"));
      const asked = [...names, ...(file === undefined ? [] : [file]), SUMS];
      const there = await Promise.all(asked.map((name) => parts.isThere(`${at}/${name}`)));
      const found = asked.filter((name, i) => there[i] && name !== SUMS);
      if (found.length === 0)
        throw new ClipInterpretError("MODEL_NOT_FOUND", `no model's files at ${at}`, {
          hint: "The folder needs open_clip_config.json with open_clip_model.safetensors, or config.json with model.safetensors, as they lie on the Hugging Face Hub.",
        });
      const sums = there.at(-1) ? await sumsOf(parts, `${at}/${SUMS}`) : new Map<string, string>();
      const files = found.map((name): [string, WebFile] => {
        const sha256 = sums.get(name);
        const known: WebFile = { ...(sha256 !== undefined && { sha256 }), ...(name === file && { address }) };
        return [name === file ? usualName(found) : name, known];
      });
      return { files: Object.fromEntries(files) };
    },
  };
}

/** What weights are called that were named by their address. */
const usualName = (beside: readonly string[]) =>
  beside.includes("open_clip_config.json") ? "open_clip_model.safetensors" : "model.safetensors";

async function sumsOf(parts: WebParts, address: string): Promise<Map<string, string>> {
  const text = new TextDecoder().decode((await parts.whole(address)).body);
  const sums = text.split(/\r?\n/).flatMap((line) => {
    const [, sum, name] = SUM.exec(line) ?? [];
    return sum !== undefined && name !== undefined ? [[name.replace(/^\.\//, ""), sum] as const] : [];
  });
  return new Map(sums);
}
