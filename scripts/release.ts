/**
 * Makes a release, and publishes nothing: `npm run release -- 1.2.3 [--dry-run]`. Looks at version, changelog and tree; runs every
 * check and test; packs into `out/release`; tags. With `--dry-run` it only looks, and says what it would do.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { whatIsAgainst } from "./release-checks.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const { values, positionals } = parseArgs({
  options: { "dry-run": { type: "boolean", default: false } },
  allowPositionals: true,
});
const [version = ""] = positionals;

const against = await whatIsAgainst(ROOT, version);
for (const line of against) console.error(line);
if (against.length > 0) process.exit(1);

const steps = [
  ["npm", "run", "check"],
  ["npm", "test"],
  ["npm", "run", "docs:build"],
  ["npm", "run", "pack:platforms"],
  ["git", "tag", "--annotate", `v${version}`, "--message", `clip-interpret ${version}`],
];
for (const [command, ...args] of steps) {
  console.log(`> ${[command, ...args].join(" ")}`);
  if (values["dry-run"]) continue;
  const shell = process.platform === "win32";
  const { status } = spawnSync(command, args, { cwd: ROOT, stdio: "inherit", shell });
  if (status !== 0) process.exit(status ?? 1);
}
console.log("Nothing is published. When all is well:");
console.log(`  git push origin main v${version}`);
console.log(`  for each out/release/clip-interpret-*-${version}.tgz, the platforms' first: npm publish FILE`);
