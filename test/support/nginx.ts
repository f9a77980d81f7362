import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";

/** Where an nginx is; `NGINX` names another. */
const NGINX = [process.env.NGINX ?? "", "/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/bin/nginx"].find(
  (path) => path !== "" && existsSync(path),
);

/** Why the tests behind nginx cannot run, with what to type. In CI it is a failure, not a reason to skip. */
export const missing: string | undefined =
  NGINX === undefined
    ? "no nginx on this machine: `apt-get install -y nginx-light` (or set NGINX to one)"
    : undefined;

/** Free ports; nothing else takes them in the moment until they are used. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((one) => new Promise<void>((go) => one.listen(0, "127.0.0.1", go))));
  const ports = servers.map((one) => (one.address() as AddressInfo).port);
  await Promise.all(servers.map((one) => new Promise((go) => one.close(go))));
  return ports;
}

/** Whether nothing listens on a port of this machine. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const free = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true));
  });
  if (free) await new Promise((go) => server.close(go));
  return free;
}

const answers = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });

/** nginx as it is by default, but for where it writes: a `server` on each port with one block. */
export async function startNginx(folder: string, blocks: ReadonlyMap<number, string>): Promise<ChildProcess> {
  const servers = [...blocks].map(
    ([port, block]) => `server { listen 127.0.0.1:${port}; server_name clip.localhost; ${block} }`,
  );
  const kept = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${join(folder, name)};`,
  );
  const config = join(folder, "nginx.conf");
  const http = ["access_log off;", ...kept, ...servers].join("\n");
  const user = process.getuid?.() === 0 ? "user root;" : "";
  await writeFile(config, `${user}\npid ${folder}/pid;\nevents {}\nhttp {\n${http}\n}\n`);
  const log = join(folder, "error.log");
  const child = spawn(NGINX!, ["-p", folder, "-c", config, "-e", log, "-g", "daemon off;"], {
    stdio: "ignore",
  });
  const [first] = blocks.keys();
  while (!(await answers(first))) {
    if (child.exitCode !== null) throw new Error(await readFile(log, "utf8"));
    await new Promise((go) => setTimeout(go, 50));
  }
  return child;
}
