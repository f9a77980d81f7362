/** The hub that a page asks unless it was built for another. */
export const PUBLIC_HUB = "https://huggingface.co";

/** What is asked where a hub is: the public one sends its large files from other hosts of its own. */
export const hostsOfHub = (hub: string): readonly string[] =>
  hub === PUBLIC_HUB ? [PUBLIC_HUB, "https://*.huggingface.co", "https://*.hf.co"] : [new URL(hub).origin];

/**
 * What the page without a server may do: run its own files, WebAssembly since models run in it, and fetch from its own server and
 * from where models may come from.
 */
export const pagePolicy = (hosts: readonly string[]): string =>
  [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    `connect-src ${["'self'", ...hosts].join(" ")}`,
    // Its thread is a script that it makes itself, and so has this policy too.
    "worker-src 'self' blob:",
    "base-uri 'self'",
    "form-action 'none'",
  ].join("; ");
