import type { PoolName, PoolText } from "../../src/text/pool.ts";
import { emojiPool } from "./emoji.ts";
import { photographsPool } from "./photographs.ts";

/** What makes each pool that comes with the package. */
export const MAKERS: Readonly<Record<PoolName, () => PoolText[]>> = {
  photographs: photographsPool,
  emoji: emojiPool,
};

/** The file of a pool. */
export const poolFile = (texts: readonly PoolText[]): string =>
  texts.map((text) => `${JSON.stringify(text)}\n`).join("");

/** How many texts speak of each property, most first, as the table in docs/pools.md. */
export function countTable(texts: readonly PoolText[]): string {
  const counts = new Map<string | null, number>();
  for (const { property } of texts) counts.set(property, (counts.get(property) ?? 0) + 1);
  const rows = [...counts].sort((a, b) => b[1] - a[1]);
  const share = (n: number) => `${((100 * n) / texts.length).toFixed(1)} %`;
  return [
    "| property | texts | share |",
    "| --- | --- | --- |",
    ...rows.map(([property, n]) => `| ${property} | ${n} | ${share(n)} |`),
    `| all | ${texts.length.toLocaleString("en")} | |`,
  ].join("\n");
}
