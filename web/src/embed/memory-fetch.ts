/** Answers as a web server of these files would, by the last part of the address: what reads models by ranges reads them too. */
export function memoryFetch(files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>): typeof fetch {
  return async (input, init) => {
    const address = String(input instanceof Request ? input.url : input);
    const file = files[address.slice(address.lastIndexOf("/") + 1)];
    if (!file) return new Response(null, { status: 404 });
    const asked = /^bytes=(\d+)-(\d*)$/.exec(new Headers(init?.headers).get("range") ?? "");
    if (!asked) return new Response(file);
    const from = Number(asked[1]);
    const end = Math.min(asked[2] ? Number(asked[2]) + 1 : file.length, file.length);
    const headers = { "content-range": `bytes ${from}-${end - 1}/${file.length}` };
    return new Response(file.subarray(from, end), { status: 206, headers });
  };
}
