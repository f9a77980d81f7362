import type { FineTuneResult, TunedHead } from "../../results/fine-tune.ts";
import type { Table } from "../kit/table.ts";
import { counted, shorten } from "../kit/text.ts";

const model = (name: string) => shorten(name, 40, (part) => part.length);

export const titleOf = ({ origin, base }: FineTuneResult): string =>
  `What fine-tuning made of the heads of ${model(base.name)}: ${model(origin.model.name)}`;

/** What must be known of both models, each said once. */
export function noticeOf({ origin, base }: FineTuneResult): string | null {
  const notices = new Set([base, origin.model].flatMap(({ notice }) => notice ?? []));
  return notices.size > 0 ? [...notices].join(" ") : null;
}

/** How to read it. */
export function captionOf({ changed, heads, pool }: FineTuneResult): string {
  const words =
    pool === null
      ? ""
      : ` In texts (of ${pool.name}): the strongest directions of the change itself, each with its two ends.`;
  return `From weights alone, ${counted(changed, "head")} of ${heads.length} changed. Change: how large the difference of what a head can write is, beside what it could before. It is in three parts: reweighted, along the base’s own directions, stronger or weaker; mixed, read along one of them and written along another; new, outside of all of them.${words}`;
}

/** Heads that changed, most first. */
export const changedHeads = ({ heads }: FineTuneResult): TunedHead[] =>
  heads
    .filter(({ change }) => change > 0)
    .sort((a, b) => b.change - a.change || a.layer - b.layer || a.head - b.head);

/** `12 %`, `0.3 %`, `<0.1 %`. */
export function percent(share: number): string {
  if (share > 0 && share < 0.0005) return "<0.1 %";
  return `${(100 * share).toFixed(share < 0.1 && share > 0 ? 1 : 0)} %`;
}

/** From 1, in as many digits as are shown: of equal ones the strongest direction comes first. */
const distance = (ratio: number): number => Math.round(100 * Math.abs(ratio - 1));

/** `@2 ×1.50, @5 ×0.00`: the base's directions whose ratio is furthest from 1. */
export function ratiosOf({ ratios }: TunedHead, most: number): string {
  const FAR = 0.005;
  const far = ratios
    .map((ratio, k) => ({ ratio, k }))
    .filter(({ ratio }) => Math.abs(ratio - 1) > FAR)
    .sort((a, b) => distance(b.ratio) - distance(a.ratio) || a.k - b.k);
  if (far.length === 0) return "none";
  const shown = far.slice(0, most).map(({ ratio, k }) => `@${k} ×${ratio.toFixed(2)}`);
  return shown.join(", ") + (far.length > most ? ", …" : "");
}

/** The strongest direction of the change: `a tiger + an animal, against a car`. */
export function changeInWords({ directions: [first] }: TunedHead): string {
  if (!first) return "";
  const [near, far] = first.ends.map(({ texts }) => texts.map(({ text }) => text).join(" + ") || "–");
  return `${near}, against ${far}`;
}

/** The table of the heads that changed. */
export function tableOf(result: FineTuneResult, most = Number.POSITIVE_INFINITY): Table {
  const words = result.pool !== null;
  return {
    caption: "Heads that changed, most first",
    columns: [
      ...["head", "#change", "#reweighted", "#mixed", "#new", "#strength", "ratios of directions"],
      ...(words ? ["the change in texts"] : []),
    ],
    rows: changedHeads(result)
      .slice(0, most)
      .map((head) => [
        ...[
          head.name,
          percent(head.change),
          percent(head.reweighted),
          percent(head.mixed),
          percent(head.new),
        ],
        ...[`×${head.strength.toFixed(2)}`, ratiosOf(head, 4)],
        ...(words ? [changeInWords(head)] : []),
      ]),
  };
}
