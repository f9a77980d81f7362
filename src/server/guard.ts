import { timingSafeEqual } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { ClipInterpretError } from "../support/errors.ts";
import { PAGE_POLICY } from "../views/kit/html.ts";

/** Names under which a machine reaches itself. A page of another site cannot be served under one of them. */
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Nothing but this server's own files and data; no frames, no forms to elsewhere. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "frame-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
];

const HEADERS = {
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
};

/** What a route sets for a page that was drawn to be read: it runs nothing, and this server's own pages may frame it. */
export const DRAWN_PAGE = "drawn page";
const DRAWN_POLICY = `${PAGE_POLICY}; sandbox; frame-ancestors 'self'`;

/**
 * Puts the headers that keep a page to itself on every answer.
 * @param embed origins whose pages may show a single view (`?embed=1`) in a frame; nobody may frame anything else
 */
export const secureHeaders =
  (embed: readonly string[] = []): MiddlewareHandler =>
  async (context, next) => {
    await next();
    const { headers } = context.res;
    for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
    if (context.get(DRAWN_PAGE) === true) return headers.set("Content-Security-Policy", DRAWN_POLICY);
    const mayBeFramed = embed.length > 0 && context.req.query("embed") === "1";
    const ancestors = mayBeFramed ? embed.join(" ") : "'none'";
    headers.set("Content-Security-Policy", [...POLICY, `frame-ancestors ${ancestors}`].join("; "));
    // The older header knows no origins; where frames are allowed, the policy alone says whose.
    if (!mayBeFramed) headers.set("X-Frame-Options", "DENY");
  };

/**
 * Lets in only who means this server. Without a token the request's Host must be a loopback name, so that a site whose
 * name was bound to 127.0.0.1 (DNS rebinding) gets nothing; a request that a browser sends for another site's page is
 * refused by its Origin or Sec-Fetch-Site. `origins` are this server's too: where a reverse proxy shows its pages.
 * @throws `REQUEST_FORBIDDEN`
 */
export const ownPagesOnly =
  (token: string | undefined, origins: readonly string[] = []): MiddlewareHandler =>
  async (context, next) => {
    const host = context.req.header("host") ?? "";
    const name = host.replace(/:\d+$/, "").toLowerCase();
    const isOwn = LOOPBACK.has(name) || origins.some((origin) => new URL(origin).hostname === name);
    if (token === undefined && !isOwn) {
      throw new ClipInterpretError("REQUEST_FORBIDDEN", "the request is for another host");
    }
    const origin = context.req.header("origin");
    if (origin !== undefined && hostOf(origin) !== host.toLowerCase() && !origins.includes(origin)) {
      throw new ClipInterpretError("REQUEST_FORBIDDEN", `the request comes from a page at ${origin}`);
    }
    const site = context.req.header("sec-fetch-site");
    const isVisit = context.req.method === "GET" && context.req.header("sec-fetch-mode") === "navigate";
    if (site !== undefined && !["same-origin", "none"].includes(site) && !isVisit) {
      throw new ClipInterpretError("REQUEST_FORBIDDEN", "the request comes from a page of another site");
    }
    await next();
  };

const hostOf = (origin: string) => (URL.canParse(origin) ? new URL(origin).host.toLowerCase() : undefined);

const COOKIE = "clip-interpret-token";

/**
 * Asks for the token, where there is one: in a header, or in the address of the first page, which is kept as a cookie
 * that scripts cannot read and taken out of the address.
 * @throws `TOKEN_REQUIRED`
 */
export const tokenRequired =
  (token: string | undefined): MiddlewareHandler =>
  async (context, next) => {
    if (token === undefined) return next();
    const url = new URL(context.req.url);
    const given = url.searchParams.get("token");
    if (given !== null && context.req.method === "GET" && isSame(given, token)) {
      url.searchParams.delete("token");
      setCookie(context, COOKIE, token, { httpOnly: true, sameSite: "Strict", path: "/" });
      // Relative: a proxy may have taken away the path below which the page lies.
      return context.redirect(`./${url.pathname.split("/").at(-1)}${url.search}`, 303);
    }
    if (!isSame(bearerOf(context) ?? getCookie(context, COOKIE) ?? "", token)) {
      throw new ClipInterpretError("TOKEN_REQUIRED", "the request has no token, or a wrong one");
    }
    return next();
  };

const bearerOf = (context: Context) => /^Bearer (.+)$/.exec(context.req.header("authorization") ?? "")?.[1];

function isSame(given: string, token: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}
