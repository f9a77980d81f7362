/**
 * Fetches what a list of strangers names: never from this machine or its network, within a time and a number of bytes.
 */
import { lookup } from "node:dns";
import { get as httpGet } from "node:http";
import { get as httpsGet } from "node:https";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { ClipInterpretError, messageOf } from "./errors.ts";

/** A picture larger than that is none. */
const MOST_BYTES = 64e6;
const MOST_MS = 30_000;
const MOST_REDIRECTS = 5;
/** Connections at a time. */
const AT_ONCE = 16;

/** Addresses that are not of the public internet (RFC 6890 and its likes). */
const NOT_PUBLIC = new BlockList();
for (const [net, bits] of [
  ...([
    ["0.0.0.0", 8],
    ["10.0.0.0", 8],
    ["100.64.0.0", 10],
    ["127.0.0.0", 8],
    ["169.254.0.0", 16],
  ] as const),
  ...([
    ["172.16.0.0", 12],
    ["192.0.0.0", 24],
    ["192.0.2.0", 24],
    ["192.168.0.0", 16],
  ] as const),
  ...([
    ["198.18.0.0", 15],
    ["198.51.100.0", 24],
    ["203.0.113.0", 24],
    ["224.0.0.0", 3],
  ] as const),
])
  NOT_PUBLIC.addSubnet(net, bits, "ipv4");
for (const [net, bits] of [
  ...([
    ["::", 96],
    ["64:ff9b::", 96],
    ["64:ff9b:1::", 48],
    ["100::", 64],
    ["2001:db8::", 32],
  ] as const),
  ...([
    ["2002::", 16],
    ["fc00::", 7],
    ["fe80::", 10],
    ["fec0::", 10],
    ["ff00::", 8],
  ] as const),
])
  NOT_PUBLIC.addSubnet(net, bits, "ipv6");

/** Whether an IP address is of the public internet. */
export function isPublicAddress(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  const plain = mapped ?? address;
  const family = isIP(plain);
  return family !== 0 && !NOT_PUBLIC.check(plain, family === 4 ? "ipv4" : "ipv6");
}

const refused = (address: string, why: string) =>
  new ClipInterpretError("URL_REFUSED", `${address} is not fetched: ${why}`);

/** Whether hosts of one's own network may be asked too: `CLIP_INTERPRET_PRIVATE_URLS=1`. */
const mayBePrivate = () => process.env.CLIP_INTERPRET_PRIVATE_URLS === "1";

/** Finds addresses of a host, and refuses those that are not public: what was looked at is what is connected to. */
const publicLookup: LookupFunction = (host, options, done) => {
  lookup(host, { ...options, all: true }, (error, found) => {
    if (error) return done(error, "", 0);
    const bad = mayBePrivate() ? undefined : found.find(({ address }) => !isPublicAddress(address));
    if (bad) return done(refused(host, `${bad.address} is not a public address`), "", 0);
    if (options.all) return done(null, found);
    done(null, found[0].address, found[0].family);
  });
};

let running = 0;
const waiting: (() => void)[] = [];

/**
 * The bytes at a public http or https address.
 * @throws `URL_REFUSED` for another address; `IMAGE_UNREADABLE` where there is nothing, or too much; `INPUT_UNREADABLE` where
 *   it may be there another time
 */
export async function fetchPublic(address: string): Promise<Buffer> {
  if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  else running++;
  const deadline = AbortSignal.timeout(MOST_MS);
  try {
    let at = address;
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      const answer = await getOnce(at, deadline);
      if (Buffer.isBuffer(answer)) return answer;
      at = new URL(answer.location, at).href;
    }
    throw new ClipInterpretError("IMAGE_UNREADABLE", `${address} leads on more than ${MOST_REDIRECTS} times`);
  } catch (cause) {
    if (cause instanceof ClipInterpretError) throw cause;
    const why = deadline.aborted ? `it took longer than ${MOST_MS / 1000} s` : messageOf(cause);
    throw new ClipInterpretError("INPUT_UNREADABLE", `cannot fetch ${address}: ${why}`, { cause });
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}

function getOnce(address: string, signal: AbortSignal): Promise<Buffer | { readonly location: string }> {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:")
    throw refused(address, "it is no http(s) address");
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  // A number needs no lookup, so none would refuse it.
  if (isIP(host) !== 0 && !isPublicAddress(host) && !mayBePrivate())
    throw refused(address, "it is not a public address");
  const get = url.protocol === "https:" ? httpsGet : httpGet;
  return new Promise((resolve, reject) => {
    const request = get(url, { lookup: publicLookup, signal, agent: false }, (answer) => {
      const { statusCode = 0, headers } = answer;
      const fail = (code: "IMAGE_UNREADABLE" | "INPUT_UNREADABLE", why: string) => {
        reject(new ClipInterpretError(code, `cannot fetch ${address}: ${why}`));
        request.destroy();
      };
      if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
        resolve({ location: headers.location });
        return request.destroy();
      }
      if (statusCode !== 200) {
        const passes = statusCode >= 500 || statusCode === 429 || statusCode === 408;
        return fail(passes ? "INPUT_UNREADABLE" : "IMAGE_UNREADABLE", `the server answers ${statusCode}`);
      }
      const chunks: Buffer[] = [];
      let length = 0;
      answer.on("data", (chunk: Buffer) => {
        length += chunk.length;
        if (length > MOST_BYTES) return fail("IMAGE_UNREADABLE", `it has more than ${MOST_BYTES / 1e6} MB`);
        chunks.push(chunk);
      });
      answer.on("end", () =>
        answer.complete ? resolve(Buffer.concat(chunks)) : reject(new Error("it ends too early")),
      );
      answer.on("error", reject);
    });
    request.on("error", reject);
  });
}
