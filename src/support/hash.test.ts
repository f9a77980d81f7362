import { expect, it } from "vitest";
import { codeVersion } from "./code-version.ts";
import { sha256Of } from "./hash.ts";

it("hashes bytes, and texts as UTF-8", () => {
  // FIPS 180-2, B.1.
  const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  expect([sha256Of("abc"), sha256Of(Buffer.from("abc"))]).toEqual([abc, abc]);
  expect(sha256Of("ä")).toBe(sha256Of(new Uint8Array([0xc3, 0xa4])));
});

it("the code's version is a hash of its modules, the same each time", async () => {
  expect(await codeVersion()).toMatch(/^[0-9a-f]{64}$/);
  expect(await codeVersion()).toBe(await codeVersion());
});
