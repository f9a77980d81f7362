import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hostsOfHub, pagePolicy } from "../../scripts/page-policy.ts";

/** The page as it was built. */
export const PAGE: string = fileURLToPath(new URL("../../dist/page", import.meta.url));

/** The page as `npm run build:page -- --hub … --connect …` builds it, in a folder of its own. */
export async function pageFor(hub: string, connect: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "page-"));
  for (const name of await readdir(PAGE)) await symlink(join(PAGE, name), join(folder, name));
  const hosts = [...hostsOfHub(hub), ...connect];
  const rewrite = async (name: string, change: (text: string) => string) => {
    const text = await readFile(join(PAGE, name), "utf8");
    await rm(join(folder, name));
    await writeFile(join(folder, name), change(text));
  };
  await rewrite("page.json", (text) => JSON.stringify({ ...JSON.parse(text), hub, hosts }));
  await rewrite("index.html", (text) =>
    text.replace(/(Content-Security-Policy" content=")[^"]*/, `$1${pagePolicy(hosts)}`),
  );
  return folder;
}
