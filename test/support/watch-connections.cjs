// Loaded into a process and its threads with --require (--import is not for threads): writes every connection and name look-up
// that they start to WATCH_CONNECTIONS. With CLOSED_NETWORK it notes those that leave this machine alone, and has them fail.

const dgram = require("node:dgram");
const dns = require("node:dns");
const { appendFileSync } = require("node:fs");
const { syncBuiltinESMExports } = require("node:module");
const net = require("node:net");

const closed = process.env.CLOSED_NETWORK !== undefined;
const LOOPBACK = /^(localhost|.+\.localhost|127\.[\d.]+|::1)$/;
/** Notes what is about to be done, and says whether it must not be. */
function forbidden(what, host) {
  if (closed && (host === undefined || LOOPBACK.test(host))) return false;
  appendFileSync(process.env.WATCH_CONNECTIONS, `${what}\n`);
  return closed;
}
const away = () => Object.assign(new Error("the network is closed"), { code: "ENETUNREACH" });

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  const [first, second] = Array.isArray(args[0]) ? args[0] : args;
  const {
    host,
    port = "",
    path,
  } = typeof first === "object"
    ? first
    : Number.isNaN(Number(first))
      ? { path: first }
      : { host: second, port: first };
  if (!forbidden(`${host ?? path}:${port}`, host)) return connect.apply(this, args);
  process.nextTick(() => this.destroy(away()));
  return this;
};
const lookup = dns.lookup;
dns.lookup = (name, ...args) => {
  if (net.isIP(name) || !forbidden(`lookup ${name}`, name)) return lookup(name, ...args);
  process.nextTick(args.at(-1), away());
};
const lookupPromise = dns.promises.lookup;
dns.promises.lookup = async (name, ...args) => {
  if (!net.isIP(name) && forbidden(`lookup ${name}`, name)) throw away();
  return lookupPromise(name, ...args);
};
const send = dgram.Socket.prototype.send;
dgram.Socket.prototype.send = function (...args) {
  if (forbidden("datagram", "")) throw away();
  return send.apply(this, args);
};
syncBuiltinESMExports();
