import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Bytes } from "../../src/support/bytes.ts";

/** Larger than what is asked for first of a file, twice over. */
export const DATA: Uint8Array<ArrayBuffer> = Uint8Array.from(
  { length: 300_000 },
  (_, i) => (i * 7 + (i >> 8)) % 256,
);
const sha256 = (...parts: readonly Uint8Array[]) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};

/**
 * What any place of a model's files must do.
 * @param open a place with `DATA` as model.safetensors and `{}` as config.json, and the folder that they are in
 */
export function describeBytes(place: string, open: () => Promise<{ bytes: Bytes; at: string }>): void {
  describe(`files of ${place}`, () => {
    it("are listed, read whole, in parts and hashed", async () => {
      const { bytes, at } = await open();
      expect([...(await bytes.names(at))].sort()).toEqual(["config.json", "model.safetensors"]);
      expect(Buffer.from(await bytes.read(`${at}/config.json`)).toString()).toBe("{}");
      const file = `${at}/model.safetensors`;
      const parts = await bytes.open(file, async ({ size, read }) => [
        size,
        ...[await read(10, 5), await read(200_000, 3), await read(299_999, 1), await read(0, 0)],
      ]);
      const wanted = [
        DATA.slice(10, 15),
        DATA.slice(200_000, 200_003),
        DATA.slice(299_999),
        new Uint8Array(),
      ];
      expect(parts).toEqual([DATA.length, ...wanted]);
      expect(await bytes.hash([file])).toBe(sha256(DATA));
      expect(await bytes.hash([`${at}/config.json`, file])).toBe(sha256(Buffer.from("{}"), DATA));
      expect(await bytes.identify(file)).toBe(await bytes.identify(file));
      expect(Buffer.compare(await bytes.read(file), DATA)).toBe(0);
    });

    it("that are not there have a coded error", async () => {
      const { bytes, at } = await open();
      const missing = { code: "INPUT_NOT_FOUND", message: expect.stringContaining("none.bin") };
      await expect(bytes.read(`${at}/none.bin`)).rejects.toMatchObject(missing);
      await expect(bytes.open(`${at}/none.bin`, async () => 0)).rejects.toMatchObject(missing);
      await expect(bytes.identify(`${at}/none.bin`)).rejects.toMatchObject(missing);
      await expect(bytes.names(`${at}/none`)).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
    });
  });
}
