/** Characters that are made at a time: a call takes so many arguments. */
const AT_ONCE = 0x8000;

/** Bytes in base64, in a browser too. */
export function base64Of(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += AT_ONCE)
    binary += String.fromCharCode(...bytes.subarray(at, at + AT_ONCE));
  return btoa(binary);
}
