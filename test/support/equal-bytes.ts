/** Makes `toEqual` of long typed arrays quick where they are the same bytes; where not, all is compared and told as ever. */
import { expect } from "vitest";

const sameBytes = (a: unknown, b: unknown): true | undefined =>
  ArrayBuffer.isView(a) &&
  ArrayBuffer.isView(b) &&
  a.constructor === b.constructor &&
  bytesOf(a).equals(bytesOf(b))
    ? true
    : undefined;

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  Buffer.from(buffer, byteOffset, byteLength);

// Files of a worker share its testers: one is enough.
const added = Symbol.for("clip-interpret equal bytes");
if (!(added in globalThis)) expect.addEqualityTesters([sameBytes]);
Object.assign(globalThis, { [added]: true });
