import { headName } from "../../../src/model/components.ts";
import { decimalsFor, formatSigned } from "../../../src/views/kit/text.ts";
import type { Insights, Properties } from "../state/api.ts";
import { type Chosen, formatWeight } from "../state/heads.ts";
import { type Follows, follows, inWords } from "../state/know.ts";
import type { Numbers } from "../state/numbers.ts";

interface Props {
  readonly shown: Chosen;
  readonly all: number;
  readonly nameOf: (unit: number) => string;
  readonly about: (unit: number) => string;
  readonly numbers: Numbers;
}

/** What the heads that are shown add, and what one of them is known to follow. */
export function HeadFacts({ shown, all, nameOf, about, numbers }: Props) {
  const score = [...shown].reduce((sum, [unit, weight]) => sum + weight * numbers.heads[unit], 0);
  const share = formatSigned(score, decimalsFor(Math.abs(score)));
  const [[unit, weight]] = shown;
  const name =
    shown.size === 1
      ? `${nameOf(unit)}${weight === 1 ? "" : `, with weight ${formatWeight(weight)},`}`
      : shown.size === all
        ? `All ${all} heads together`
        : `These ${shown.size} heads`;
  return (
    <p className="facts" aria-live="polite">
      <strong>{name}</strong> {shown.size === 1 ? "adds" : "add"} <strong>{share}</strong> of the{" "}
      {formatSigned(numbers.score, 4)}. {shown.size === 1 && about(unit)}
    </p>
  );
}

/** What is known of a head, in a sentence or two. */
export function aboutHead(
  unit: number,
  heads: number,
  properties: Properties["properties"],
  insights: Insights | null | undefined,
): string {
  const name = headName(Math.floor(unit / heads), unit % heads);
  const labels = properties.filter(
    ({ source, heads: own }) => source === "label" && own.some((head) => head.name === name),
  );
  return [
    labels.length > 0 ? `Labelled ${labels.map((one) => `“${one.name}”`).join(", ")}.` : "",
    insights ? followsInWords(follows(insights, name), insights.selectivity.images) : "",
  ].join(" ");
}

/** `It follows the colour behind: 76 % …`. */
function followsInWords(found: readonly Follows[], images: number): string {
  if (found.length === 0) return "";
  const [first, ...rest] = found;
  const percent = ({ share }: Follows) => `${Math.round(100 * share)} %`;
  const others = rest.slice(0, 2).map((one) => `${inWords(one.factor)} (${percent(one)})`);
  const more = others.length > 0 ? `; then ${others.join(", ")}` : "";
  const against = first.sign === -1 ? " It speaks against the text of what it sees." : "";
  return `Over ${images.toLocaleString("en")} pictures, ${percent(first)} of what this head writes follows ${inWords(first.factor)}${more}.${against}`;
}
