import type { Settled } from "../../state/url.ts";
import type { ViewProps } from "../view.ts";

const SCORES = {
  centred: "cosine from the mean of all",
  dot: "product (as in the paper)",
  cosine: "cosine",
  z: "deviations above the mean",
} as const;
type Scoring = keyof typeof SCORES;

interface Props {
  readonly scoring: Scoring;
  readonly count: Settled["count"];
  readonly go: ViewProps["go"];
}

/** By which score, and how many are shown. */
export function HowToScore({ scoring, count, go }: Props) {
  return (
    <>
      <label>
        score{" "}
        <select value={scoring} onChange={(event) => go({ scoring: event.target.value as Scoring })}>
          {Object.entries(SCORES).map(([kind, title]) => (
            <option key={kind} value={kind}>
              {title}
            </option>
          ))}
        </select>
      </label>
      <label>
        show{" "}
        <select value={count} onChange={(event) => go({ count: Number(event.target.value) })}>
          {[...new Set([4, 8, 16, 32, count])]
            .sort((a, b) => a - b)
            .map((k) => (
              <option key={k} value={k}>
                {k}
              </option>
            ))}
        </select>
      </label>
    </>
  );
}
