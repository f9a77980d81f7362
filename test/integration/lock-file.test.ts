import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}

const file = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");
const { packages } = JSON.parse(file("package-lock.json")) as { packages: Record<string, Locked> };

/** Whether a package installed at `path` finds its dependency: beside itself, or in any folder above. */
function resolves(path: string, dependency: string): boolean {
  const here = path === "" ? "" : `${path}/`;
  if (packages[`${here}node_modules/${dependency}`]) return true;
  if (path === "") return false;
  const above = path.lastIndexOf("/node_modules/");
  return resolves(above < 0 ? "" : path.slice(0, above), dependency);
}

describe("the lock file", () => {
  it("names no address: packages come from whatever npm registry the user has", () => {
    expect(Object.values(packages).filter(({ resolved }) => resolved)).toEqual([]);
  });

  it("holds every package for every platform, with its hash: `npm ci` refuses a lock file that does not", () => {
    const missing = Object.entries(packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies })
        .filter((dependency) => !resolves(path, dependency))
        .map((dependency) => `${path} → ${dependency}`),
    );
    expect(missing).toEqual([]);
    const loose = Object.entries(packages).filter(
      ([path, entry]) => path && !(entry.version && entry.integrity),
    );
    expect(loose).toEqual([]);
  });

  it("brings users no install script: one that fails, without a network for instance, leaves nothing installed", () => {
    // Where the script of an optional package fails, npm leaves that package out and goes on.
    const scripts = Object.entries(packages).filter(
      ([, { hasInstallScript, dev, optional }]) => hasInstallScript && !dev && !optional,
    );
    expect(scripts.map(([path]) => path)).toEqual([]);
    expect(Object.keys(JSON.parse(file("package.json")).scripts)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^((pre|post)?install|prepare)$/)]),
    );
  });

  it("pins what package.json pins: exact versions", () => {
    const { dependencies = {}, devDependencies = {} } = JSON.parse(file("package.json")) as {
      dependencies?: Record<string, string>;
      devDependencies?: Record<string, string>;
    };
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      // A package may stand under another name: `npm:typescript@7.0.2`.
      const exact = version.replace(/^npm:.+@/, "");
      expect(exact, name).toMatch(/^\d+\.\d+\.\d+(-[a-z]+\.\d+)?$/);
      expect(packages[`node_modules/${name}`]?.version, name).toBe(exact);
    }
  });
});
