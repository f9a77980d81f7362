import { formatCosine } from "../../../src/views/kit/text.ts";
import { Said } from "../plots/said.tsx";
import type { WithoutHeads } from "../state/api.ts";
import type { Navigate, Settled, Without } from "../state/url.ts";

interface Props {
  readonly state: Settled;
  readonly go: Navigate;
  /** The text in question. */
  readonly text: string | undefined;
  readonly ready: boolean;
}

/** What a score is held against: another text, the average picture, itself without some heads. */
export function Compare({ state, go, text, ready }: Props) {
  const others = [...new Set([...state.texts, ...(state.against === null ? [] : [state.against])])].filter(
    (one) => one !== text,
  );
  return (
    <div className="compare" role="group" aria-label="Compare the score">
      <label>
        against{" "}
        <select
          value={state.against ?? ""}
          disabled={others.length === 0}
          title={others.length === 0 ? "Add a second text to hold this one against" : undefined}
          onChange={(event) => go({ against: event.target.value === "" ? null : event.target.value })}
        >
          <option value="">no other text</option>
          {others.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
      </label>
      <label>
        <input
          type="checkbox"
          checked={state.less}
          disabled={!ready && !state.less}
          onChange={(event) => go({ less: event.target.checked })}
        />{" "}
        less the average picture
      </label>
      <label>
        without the chosen heads{" "}
        <select value={state.without} onChange={(event) => go({ without: event.target.value as Without })}>
          <option value="no">no</option>
          <option value="mean">their average instead</option>
          <option value="zero">nothing instead</option>
        </select>
      </label>
    </div>
  );
}

/** Scores with and without the chosen heads, beside as many random ones. */
export function WithoutTable({ found, words }: { readonly found: WithoutHeads; readonly words: string }) {
  const ranked = (key: "similarity" | "without") => {
    const best = Math.max(...found.texts.map((one) => one[key]));
    return found.texts.find((one) => one[key] === best)?.text;
  };
  const [before, after] = [ranked("similarity"), ranked("without")];
  return (
    <section className="without" aria-label="Without the chosen heads">
      <h3>
        Without {words}{" "}
        <small>
          {found.over
            ? `in their place: the average over ${found.over.images.toLocaleString("en")} pictures`
            : "nothing in their place"}
          . What other heads read of them is left as it was.
        </small>
      </h3>
      <div className="table-scroll">
        <table className="numbers">
          <thead>
            <tr>
              <th scope="col">text</th>
              <th scope="col">score</th>
              <th scope="col">without</th>
              <th scope="col">without as many random heads</th>
            </tr>
          </thead>
          <tbody>
            {found.texts.map(({ text, similarity, without, random }) => (
              <tr key={text}>
                <th scope="row">
                  <Said text={text} />
                </th>
                <td>{formatCosine(similarity)}</td>
                <td data-testid="without">{formatCosine(without)}</td>
                <td>
                  {random
                    ? `${formatCosine(random.mean)} (${formatCosine(random.low)} to ${formatCosine(random.high)})`
                    : "there are no others"}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {found.texts.length > 1 && (
        <p>
          {before === after ? (
            <>
              The text that fits best stays <Said text={before} />.
            </>
          ) : (
            <>
              The text that fits best was <Said text={before} />, and is <Said text={after} /> without them.
            </>
          )}
        </p>
      )}
    </section>
  );
}
