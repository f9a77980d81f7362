// Loaded into a process with --import: writes every connection and name look-up that it starts to WATCH_CONNECTIONS.

import dgram from "node:dgram";
import dns from "node:dns";
import { appendFileSync } from "node:fs";
import net from "node:net";

const note = (what) => appendFileSync(process.env.WATCH_CONNECTIONS, `${what}\n`);

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  const [first] = Array.isArray(args[0]) ? args[0] : args;
  note(typeof first === "object" ? `${first.host ?? first.path}:${first.port ?? ""}` : String(first));
  return connect.apply(this, args);
};
const lookup = dns.lookup;
dns.lookup = (name, ...args) => {
  if (!net.isIP(name)) note(`lookup ${name}`);
  return lookup(name, ...args);
};
const send = dgram.Socket.prototype.send;
dgram.Socket.prototype.send = function (...args) {
  note("datagram");
  return send.apply(this, args);
};
