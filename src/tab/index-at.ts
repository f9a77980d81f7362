/** An index that lies anywhere on the web, as its command wrote it. */
import { requireModelOf } from "../corpus/manifest.ts";
import { createSearch } from "../corpus/search.ts";
import { everyRow } from "../corpus/sharded-index.ts";
import { openWebShards, readWebManifest } from "../corpus/web-index.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { nameIn } from "../support/paths.ts";
import { once } from "../support/shared.ts";
import type { WebBytes } from "../support/web-bytes.ts";
import { nameOfAddress } from "./addresses.ts";
import type { Collection } from "./collection.ts";

/** Where a picture of an index at an address is; undefined where the index does not say it for others. */
function pictureAddress(index: string, root: string, path: string): string | undefined {
  // An absolute path is one of the computer that made it.
  if (/^([\\/]|[a-z]:[\\/]|[a-z][a-z0-9+.-]*:\/\/)/i.test(root)) return undefined;
  const encoded = `${root}/${path}`.split("/").map(encodeURIComponent).join("/");
  return new URL(encoded, `${index.replace(/\/$/, "")}/`).href;
}

/**
 * @param address of the index's folder
 * @param files where it is read from
 */
export function indexAt(address: string, files: WebBytes): Collection {
  const name = nameOfAddress(address);
  const found = once(() => readWebManifest(address, files));
  const opened = once(async () => ({ ...(await openWebShards(await found(), files)), name }));
  return {
    name,
    async entry() {
      // Why it cannot be read is said to whoever asks for more than its name.
      const shards = await found().then(
        ({ manifest }) => manifest.shards,
        () => [],
      );
      const images = shards.reduce((sum, shard) => sum + shard.images, 0);
      return {
        ...{ name, title: nameIn(address.replace(/\/$/, "")), images, made: true, indexed: true },
        ...{ searchable: images, version: null, own: false, job: null },
      };
    },
    async images({ offset, limit, ids }) {
      const index = await opened();
      const places = ids
        ? (await Promise.all(ids.map((id) => index.find("id", id)))).flat()
        : everyRow(index).slice(offset, offset + limit);
      const rows = await index.rows(places);
      const images = rows.map(({ id, path, label, factors }) => ({
        image: `${name}:${id}`,
        path,
        label,
        factors,
      }));
      return { total: index.images.length, images };
    },
    async picture(id) {
      const index = await opened();
      const [row] = await index.rows(await index.find("id", id));
      const where = row && pictureAddress(address, index.manifest.root, row.path);
      if (!where)
        throw new ClipInterpretError(
          "IMAGE_GONE",
          `the index does not say where its pictures are on the web`,
          {
            hint: "Put the pictures beside the index when it is made, and both on the server.",
          },
        );
      const { path, label, factors } = row;
      return { bytes: await files.read(where), picture: { path, label, factors } };
    },
    async search(model) {
      await requireModelOf(await found(), model).catch((error: unknown) => {
        if (!(error instanceof ClipInterpretError) || error.code !== "INDEX_MISMATCH") throw error;
        throw new ClipInterpretError("INDEX_MISMATCH", error.message, {
          hint: "Choose the model that made it, above, or another index.",
          cause: error,
        });
      });
      return createSearch(await opened(), model.geometry, model.matmul);
    },
  };
}
