/** The drawings of the generated world, taken out of the icon sets that they come from: a few hundred of the thousands in each. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { z } from "zod";
import { CONCEPTS } from "../src/world/concepts.ts";

const iconSetSchema = z.object({
  width: z.number().default(16),
  height: z.number().default(16),
  icons: z.record(
    z.string(),
    z.object({ body: z.string(), width: z.number().optional(), height: z.number().optional() }),
  ),
  aliases: z.record(z.string(), z.object({ parent: z.string() })).default({}),
});
const packageSchema = z.object({ name: z.string(), version: z.string() });

const require = createRequire(import.meta.url);
const readJson = async (path: string) => JSON.parse(await readFile(require.resolve(path), "utf8"));

/** The file of `assets/drawings` for an installed icon set: every concept's SVG by its name, a line each. */
export async function drawingsFile(iconSet: string): Promise<string> {
  const set = iconSetSchema.parse(await readJson(`@iconify-json/${iconSet}/icons.json`));
  const { name, version } = packageSchema.parse(await readJson(`@iconify-json/${iconSet}/package.json`));
  const svgOf = (icon: string) => {
    const found = set.icons[icon] ?? set.icons[set.aliases[icon]?.parent ?? ""];
    if (found === undefined) throw new Error(`icon set '${iconSet}' has no icon '${icon}'`);
    const [width, height] = [found.width ?? set.width, found.height ?? set.height];
    return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${found.body}</svg>`;
  };
  const lines = CONCEPTS.map(
    ({ name, icon }) => `    ${JSON.stringify(name)}: ${JSON.stringify(svgOf(icon))}`,
  );
  return `{\n  "source": ${JSON.stringify(`${name}@${version}`)},\n  "svgs": {\n${lines.join(",\n")}\n  }\n}\n`;
}
