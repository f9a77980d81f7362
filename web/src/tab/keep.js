// Keeps the page for visits without a network. `npm run build:page` writes before this which version it is, what is kept, and what other
// files the page has: those are kept when they are seen.
// Pages of one host share what is kept: each names its own by where it lies.
const PAGE = `clip-interpret ${self.registration.scope} `;
const NAME = PAGE + VERSION;
const RUNTIME = "runtime.wasm";
const OWN = new Set(
  [...KEPT, ...OTHERS, RUNTIME].map((path) => new URL(path, self.registration.scope).pathname),
);

self.addEventListener("install", (event) => {
  event.waitUntil(keep());
  self.skipWaiting();
});

async function keep() {
  const cache = await caches.open(NAME);
  await Promise.all(
    KEPT.map(async (path) => {
      // The browser may hold the last version's file of this name, and take it for fresh: the server is asked.
      const response = await fetch(path, { cache: "no-cache" });
      // Chromium answers with a part where the page asked for parts before, which cannot be kept.
      const whole = response.status === 206 ? await fetch(path, { cache: "reload" }) : response;
      if (!whole.ok) throw new Error(`${path}: ${whole.status}`);
      await cache.put(path, whole);
    }),
  );
  // Unpacked once, and as what it is: browsers keep what they compiled of it.
  const packed = await fetch(`${RUNTIME}.gz`, { cache: "no-cache" });
  const [start] = new Uint8Array(await packed.clone().arrayBuffer());
  const body = start === 0x1f ? packed.body.pipeThrough(new DecompressionStream("gzip")) : packed.body;
  await cache.put(RUNTIME, new Response(body, { headers: { "content-type": "application/wasm" } }));
  // Half of one version and half of the next is none, where files were being replaced.
  const { version } = await (await cache.match("page.json")).json();
  if (version !== VERSION) throw new Error(`page.json is of ${version}`);
}

self.addEventListener("activate", (event) => {
  const forgetOthers = async () => {
    const names = (await caches.keys()).filter((name) => name.startsWith(PAGE) && !name.startsWith(NAME));
    await Promise.all(names.map((name) => caches.delete(name)));
  };
  event.waitUntil(Promise.all([forgetOthers(), self.clients.claim()]));
});

self.addEventListener("fetch", (event) => {
  // What is another's, such as a model's files or an index beside the page, is asked for by the page itself, under its policy.
  const { method, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method === "GET" && origin === location.origin && OWN.has(pathname))
    event.respondWith(answer(event.request));
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
