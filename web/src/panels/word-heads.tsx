import { type KeyboardEvent, useMemo, useRef, useState } from "react";
import { signedScale } from "../../../src/views/kit/colour.ts";
import { largestOf } from "../../../src/views/kit/panel.ts";
import { decimalsFor, formatSigned } from "../../../src/views/kit/text.ts";
import { type Subject, useWordPairs } from "../state/queries.ts";
import { ProblemNote } from "./problem.tsx";

/** A head of the text tower and one of the image tower, by their names. */
export interface Pair {
  readonly text: string;
  readonly image: string;
}

interface Props {
  readonly subject: Subject;
  readonly text: string;
  readonly corpus: string;
  /** The pair through which words look now. */
  readonly chosen: Pair | null;
  readonly onChoose: (pair: Pair | null) => void;
}

/** Which text head meets which image head: asked for when it is opened. */
export function WordHeads(props: Props) {
  const { subject, text, corpus } = props;
  const [isOpen, setOpen] = useState(false);
  const { data, error } = useWordPairs(subject, text, corpus, isOpen);
  const found = data?.text === text ? data : undefined;
  return (
    <details className="word-heads" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Which text head meets which image head</summary>
      {error && <ProblemNote error={error} />}
      {found?.pairs && <PairMatrix {...props} pairs={found.pairs} count={found.pairCount} />}
    </details>
  );
}

/** As many heads of a tower as a phone shows. */
const MOST = { text: 12, image: 16 } as const;

type Pairs = readonly (Pair & { readonly value: number })[];

/** The heads of a tower that have most to do with the other, in their order. */
function strongest(pairs: Pairs, side: "text" | "image"): string[] {
  const sums = new Map<string, number>();
  for (const pair of pairs) sums.set(pair[side], (sums.get(pair[side]) ?? 0) + Math.abs(pair.value));
  const all = [...sums].sort(([, a], [, b]) => b - a).slice(0, MOST[side]);
  return all.map(([name]) => name).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

function PairMatrix({
  pairs,
  count,
  chosen,
  onChoose,
}: Pick<Props, "chosen" | "onChoose"> & { readonly pairs: Pairs; readonly count: number }) {
  const table = useRef<HTMLTableElement>(null);
  const { columns, rows, values } = useMemo(
    () => ({
      columns: strongest(pairs, "text"),
      // The last layer is on top, as in the matrix of heads.
      rows: strongest(pairs, "image").reverse(),
      values: new Map(pairs.map(({ text, image, value }) => [`${text} ${image}`, value])),
    }),
    [pairs],
  );
  const [focused, setFocused] = useState({ row: 0, column: 0 });
  const scale = signedScale(largestOf(pairs.map(({ value }) => value)));
  const decimals = decimalsFor(scale.limit) + 1;
  const moveFocus = (event: KeyboardEvent, row: number, column: number) => {
    const to: Record<string, readonly [number, number]> = {
      ...{ ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1] },
      ...{ ArrowUp: [row - 1, column], ArrowDown: [row + 1, column] },
    };
    const next = to[event.key];
    if (!next) return;
    event.preventDefault();
    table.current?.querySelector<HTMLElement>(`[data-cell="${next.join()}"]`)?.focus();
  };
  const shown = columns.length * rows.length;
  return (
    <>
      <p className="caption">
        What each pair adds to the score, for (red) or against (blue).{" "}
        {shown < count && `The heads with the largest of ${count.toLocaleString("en")} pairs. `}
        Tap a pair: the picture shows where its words look.
      </p>
      <section className="matrix-scroll" aria-label="Text heads by image heads">
        <table className="matrix pairs" ref={table}>
          <thead>
            <tr>
              <td />
              {columns.map((name) => (
                <th scope="col" key={name}>
                  <span>{name}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((image, row) => (
              <tr key={image}>
                <th scope="row">{image}</th>
                {columns.map((text, column) => {
                  const value = values.get(`${text} ${image}`);
                  const label = `${text} with ${image}: ${value === undefined ? "not among the largest" : formatSigned(value, decimals)}`;
                  const isChosen = chosen?.text === text && chosen.image === image;
                  return (
                    <td key={text}>
                      <button
                        type="button"
                        className="cell"
                        data-cell={`${row},${column}`}
                        aria-pressed={isChosen}
                        aria-label={label}
                        title={label}
                        tabIndex={row === focused.row && column === focused.column ? 0 : -1}
                        style={{ background: value === undefined ? "var(--line)" : scale.colour(value) }}
                        onFocus={() => setFocused({ row, column })}
                        onKeyDown={(event) =>
                          event.key === "Escape" ? onChoose(null) : moveFocus(event, row, column)
                        }
                        onClick={() => onChoose(isChosen ? null : { text, image })}
                      />
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {chosen && (
        <button type="button" onClick={() => onChoose(null)}>
          Words through all heads again
        </button>
      )}
    </>
  );
}
