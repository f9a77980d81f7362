// Keeps the page for visits without a network. `npm run build:page` writes what is kept, and which version that is, before this.
// Pages of one host share what is kept: each names its own by where it lies.
const PAGE = `clip-interpret ${self.registration.scope} `;
const NAME = PAGE + VERSION;
const RUNTIME = "runtime.wasm";

self.addEventListener("install", (event) => {
  event.waitUntil(keep());
  self.skipWaiting();
});

async function keep() {
  const cache = await caches.open(NAME);
  await Promise.all(
    KEPT.map(async (path) => {
      const response = await fetch(path);
      // Chromium answers with a part where the page asked for parts before, which cannot be kept.
      const whole = response.status === 206 ? await fetch(path, { cache: "reload" }) : response;
      if (!whole.ok) throw new Error(`${path}: ${whole.status}`);
      await cache.put(path, whole);
    }),
  );
  // Unpacked once, and as what it is: browsers keep what they compiled of it.
  const packed = await fetch(`${RUNTIME}.gz`);
  const [start] = new Uint8Array(await packed.clone().arrayBuffer());
  const body = start === 0x1f ? packed.body.pipeThrough(new DecompressionStream("gzip")) : packed.body;
  await cache.put(RUNTIME, new Response(body, { headers: { "content-type": "application/wasm" } }));
}

self.addEventListener("activate", (event) => {
  const forgetOthers = async () => {
    const names = (await caches.keys()).filter((name) => name.startsWith(PAGE) && !name.startsWith(NAME));
    await Promise.all(names.map((name) => caches.delete(name)));
  };
  event.waitUntil(Promise.all([forgetOthers(), self.clients.claim()]));
});

self.addEventListener("fetch", (event) => {
  // What is another's, such as a model's files, is asked for by the page itself, under its policy.
  const { method, url } = event.request;
  if (method === "GET" && url.startsWith(self.registration.scope)) event.respondWith(answer(event.request));
});

async function answer(request) {
  const cache = await caches.open(NAME);
  const kept = await cache.match(request.url, { ignoreSearch: true, ignoreVary: true });
  if (!kept) {
    const response = await fetch(request);
    // What of the page was not needed before.
    if (response.status === 200) await cache.put(request.url, response.clone());
    return response;
  }
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get("range") ?? "") ?? [];
  if (from === undefined) return kept;
  const whole = await kept.blob();
  const [start, end] = [Number(from), Math.min(to ? Number(to) + 1 : whole.size, whole.size)];
  const headers = new Headers(kept.headers);
  headers.set("content-range", `bytes ${start}-${end - 1}/${whole.size}`);
  headers.set("content-length", String(end - start));
  return new Response(whole.slice(start, end), { status: 206, headers });
}
