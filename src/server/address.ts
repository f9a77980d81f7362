/** Where the app is seen from outside: behind a reverse proxy, and below a path. */
import { ClipInterpretError } from "../support/errors.ts";

/** An origin as a browser sends it: `https://clip.example.org`, with a port that is not the usual one. @throws `USAGE` */
export function originOf(text: string, option = "--origin"): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`) return url.origin;
  throw new ClipInterpretError("USAGE", `${option} ${text} is not the beginning of a page's address`, {
    hint: "Give scheme and host, and a port that is not the usual one, as https://clip.example.org:8443; a path goes to --base-path.",
  });
}

/** A path without a slash at its end: `/clip`, or empty for the root. @throws `USAGE` */
export function basePathOf(text: string): string {
  const path = text.replace(/\/+$/, "");
  if (path === "" || /^(\/[\w.~-]+)+$/.test(path)) return path;
  throw new ClipInterpretError("USAGE", `--base-path ${text} is not a path such as /clip`, {
    hint: "It starts with a slash and has letters, digits, and - . _ ~ between slashes.",
  });
}

/**
 * The path of a request below the base path. One that does not start with it is taken as it is: some proxies take the
 * base path away before they pass a request on.
 */
export const pathBelow =
  (basePath: string) =>
  (request: Request): string => {
    const { pathname } = new URL(request.url);
    return basePath !== "" && pathname.startsWith(`${basePath}/`)
      ? pathname.slice(basePath.length)
      : pathname;
  };
