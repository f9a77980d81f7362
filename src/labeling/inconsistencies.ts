/** What is inconsistent in a set of labels, found by comparing them with each other. */
import type { Inconsistency, LabelUse } from "../results/label.ts";
import { headNamed } from "../results/shapes.ts";
import { foldLabel, wordsOf } from "./fold.ts";

/**
 * Finds labels that were probably meant to be one, or two.
 * @param heads head, by its name → label as written
 * @param properties property → the heads that are listed for it, where such lists were published beside the labels
 */
export function findInconsistencies(
  heads: Readonly<Record<string, string>>,
  properties: Readonly<Record<string, readonly string[]>> = {},
): Inconsistency[] {
  const uses = usesOf(heads);
  return [...spellings(uses), ...misspelt(uses), ...joined(uses), ...listed(heads, properties)];
}

function usesOf(heads: Readonly<Record<string, string>>): LabelUse[] {
  const uses = groupBy(Object.entries(heads), ([, label]) => label);
  return uses.map((entries) => ({ label: entries[0][1], heads: entries.map(([head]) => headNamed(head)) }));
}

/** Items with the same key together, in the order in which the keys occur. */
function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return [...groups.values()];
}

/** Labels that differ in case, else in what separates their words, else in the plural. */
function spellings(uses: readonly LabelUse[]): Inconsistency[] {
  return groupBy(uses, ({ label }) => foldLabel(label))
    .filter((labels) => labels.length > 1)
    .map((labels) => {
      const differ = (form: (label: string) => string) =>
        new Set(labels.map(({ label }) => form(label))).size > 1;
      const kind = differ((label) => wordsOf(label).join(""))
        ? "plural"
        : differ((label) => label.toLowerCase())
          ? "spacing"
          : "case";
      return { kind, labels };
    });
}

/** Pairs of words of five letters or more that one letter, or two in the wrong order, keep apart. */
function misspelt(uses: readonly LabelUse[]): Inconsistency[] {
  const found: Inconsistency[] = [];
  for (const [i, a] of uses.entries()) {
    for (const b of uses.slice(i + 1)) {
      const [x, y] = [foldLabel(a.label), foldLabel(b.label)];
      if (x !== y && Math.min(x.length, y.length) >= 5 && oneEditApart(x, y)) {
        found.push({ kind: "misspelt", labels: [a, b] });
      }
    }
  }
  return found;
}

function oneEditApart(a: string, b: string): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  let start = 0;
  while (start < short.length && short[start] === long[start]) start++;
  const [x, y] = [short.slice(start), long.slice(start)];
  if (long.length > short.length) return x === y.slice(1);
  return x.slice(1) === y.slice(1) || (x[0] === y[1] && x[1] === y[0] && x.slice(2) === y.slice(2));
}

function joined(uses: readonly LabelUse[]): Inconsistency[] {
  const plain = (label: string) => wordsOf(label).join("");
  return uses.flatMap((whole): Inconsistency[] => {
    const name = plain(whole.label);
    if (wordsOf(whole.label).length > 1) return [];
    for (const first of uses) {
      if (first === whole || plain(first.label) === "" || !name.startsWith(plain(first.label))) continue;
      const rest = name.slice(plain(first.label).length);
      const second = uses.find(({ label }) => rest !== "" && plain(label) === rest);
      if (second) return [{ kind: "joined", labels: [whole, first, second] }];
    }
    return [];
  });
}

function listed(
  heads: Readonly<Record<string, string>>,
  properties: Readonly<Record<string, readonly string[]>>,
): Inconsistency[] {
  return Object.entries(properties).flatMap(([property, names]): Inconsistency[] => {
    const wanted = foldLabel(property);
    const has = (head: string) => head in heads && foldLabel(heads[head]) === wanted;
    const odd = (kind: Inconsistency["kind"], found: readonly string[]): Inconsistency[] => {
      const others = usesOf(Object.fromEntries(found.map((head) => [head, heads[head] ?? "no label"])));
      return found.length === 0
        ? []
        : [{ kind, labels: [{ label: property, heads: names.map(headNamed) }, ...others] }];
    };
    return [
      ...odd(
        "listed",
        names.filter((head) => !has(head)),
      ),
      ...odd(
        "unlisted",
        Object.keys(heads).filter((head) => has(head) && !names.includes(head)),
      ),
    ];
  });
}
