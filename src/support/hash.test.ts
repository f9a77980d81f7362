import { expect, it } from "vitest";
import { codeVersion } from "./code-version.ts";
import { sha256Of } from "./hash.ts";
import { ownSha256 } from "./sha256.ts";

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

it("our own SHA-256 is that of Node, whatever the length and however it is cut", () => {
  const data = Uint8Array.from({ length: 1000 }, (_, i) => (i * i * 31) % 251);
  for (let length = 0; length <= 300; length++) {
    const hash = ownSha256();
    for (let at = 0; at < length; at += 1 + (length % 7) * 13)
      hash.update(data.subarray(at, Math.min(length, at + 1 + (length % 7) * 13)));
    expect(hash.digest()).toBe(sha256Of(data.subarray(0, length)));
  }
});
