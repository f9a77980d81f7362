import { ownSha256, type Sha256 } from "./sha256.ts";

// Asked for by name and not imported, so that the same module runs in a browser, where WebCrypto would be no help: it
// cannot hash in parts, nor at all on a page that came without HTTPS.
const crypto = globalThis.process?.getBuiltinModule?.("node:crypto");

/** Begins a SHA-256: Node's own where there is one, else ours. */
export function createSha256(): Sha256 {
  if (!crypto) return ownSha256();
  const hash = crypto.createHash("sha256");
  return { update: (data) => void hash.update(data), digest: () => hash.digest("hex") };
}

/** SHA-256 of bytes, or of a text in UTF-8, in hex. */
export function sha256Of(data: string | Uint8Array): string {
  const hash = createSha256();
  hash.update(data);
  return hash.digest();
}
