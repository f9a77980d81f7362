import { type KeyboardEvent, useRef } from "react";
import { signedScale } from "../../../src/views/kit/colour.ts";
import { decimalsFor, formatSigned } from "../../../src/views/kit/text.ts";
import { calledUnit } from "../state/atlas.ts";
import { type Chosen, formatWeight, toggled } from "../state/heads.ts";
import { keyLeadsTo } from "./arrow-keys.ts";

interface Props {
  readonly layers: number;
  readonly heads: number;
  /** [L·H]: what each head contributed. */
  readonly values: ArrayLike<number>;
  /**
   * `embed`, then each layer's MLP, then that of a pool of attention if there is one; none where only heads have
   * values, and a blank for each where their room is kept, as at one patch.
   */
  readonly mlps: readonly (number | null)[] | null;
  /** Where the colour scale ends. */
  readonly limit: number;
  readonly chosen: Chosen;
  /** The head that is hovered or has the focus. */
  readonly hovered: number | null;
  readonly onChoose: (chosen: Chosen) => void;
  readonly onHover: (unit: number | null) => void;
  /** What heads are called, by their names. */
  readonly labels: ReadonlyMap<string, string>;
  /** What a head is known for, for its tooltip. */
  readonly about: (unit: number) => string;
}

/** The layers × heads matrix: one cell a head, coloured by what it added; click, drag or press to choose. */
export function Matrix({
  layers,
  heads,
  values,
  mlps,
  limit,
  chosen,
  hovered,
  onChoose,
  onHover,
  labels,
  about,
}: Props) {
  const scale = signedScale(limit);
  const decimals = decimalsFor(scale.limit);
  // While the pointer is down: whether it puts in or takes out, and what was chosen so far.
  const drag = useRef<{ add: boolean; chosen: Map<number, number>; over: Set<number> } | null>(null);
  // What pressed last: a mouse chooses when it is pressed, a finger when it has tapped, and not when it scrolls.
  const pressedBy = useRef<string | null>(null);
  const table = useRef<HTMLTableElement>(null);
  const roomy = heads <= 8;
  // Wider than a phone: it scrolls, all rows together.
  const wide = heads > 8;

  const paintCell = (unit: number) => {
    if (!drag.current || drag.current.over.has(unit)) return;
    drag.current.over.add(unit);
    if (!drag.current.add) drag.current.chosen.delete(unit);
    else if (!drag.current.chosen.has(unit)) drag.current.chosen.set(unit, 1);
    onChoose(new Map(drag.current.chosen));
  };
  const start = (unit: number) => {
    drag.current = { add: !chosen.has(unit), chosen: new Map(chosen), over: new Set() };
    paintCell(unit);
    const stop = () => {
      drag.current = null;
      window.removeEventListener("pointerup", stop);
      window.removeEventListener("pointercancel", stop);
    };
    window.addEventListener("pointerup", stop);
    window.addEventListener("pointercancel", stop);
  };
  const moveFocus = (event: KeyboardEvent, unit: number) => {
    const next = keyLeadsTo(event.key, unit, layers, heads);
    if (next === null) return;
    event.preventDefault();
    if (next !== undefined) table.current?.querySelector<HTMLElement>(`[data-unit="${next}"]`)?.focus();
  };
  const layerUnits = (layer: number) => Array.from({ length: heads }, (_, head) => layer * heads + head);
  const rows = Array.from({ length: layers }, (_, i) => layers - 1 - i);
  const focusable = hovered ?? [...chosen.keys()][0] ?? (layers - 1) * heads;
  const sumOf = (layer: number) =>
    layerUnits(layer).reduce((sum, unit) => sum + values[unit], mlps?.[layer + 1] ?? 0);
  const pool = mlps?.[layers + 1];
  const total = rows.reduce((sum, layer) => sum + sumOf(layer), (mlps?.[0] ?? 0) + (pool ?? 0));

  return (
    <section className="matrix-scroll" aria-label="Heads by layer" tabIndex={wide ? 0 : undefined}>
      <table className={roomy ? "matrix roomy" : "matrix"} ref={table} onPointerLeave={() => onHover(null)}>
        <caption className="hidden">
          What each head contributed. Arrow keys move, space chooses. Rows are layers, the last on top.
        </caption>
        <thead>
          <tr>
            <td />
            {Array.from({ length: heads }, (_, head) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a head is its number
              <th scope="col" key={head}>
                {`H${head}`}
              </th>
            ))}
            {mlps && <th scope="col">MLP</th>}
            <th scope="col">sum</th>
          </tr>
        </thead>
        <tbody>
          {pool !== undefined && (
            <tr>
              <th scope="row" colSpan={heads + 1} className="embed">
                pool.MLP (where patches are pooled)
              </th>
              <MlpCell name="pool.MLP" value={pool} scale={scale} decimals={decimals} />
              <td className="sum">{pool === null ? "" : formatSigned(pool, decimals)}</td>
            </tr>
          )}
          {rows.map((layer) => (
            <tr key={layer}>
              <th scope="row">
                <button
                  type="button"
                  className="layer"
                  title={`Choose or leave the whole layer ${layer}`}
                  aria-label={`Layer ${layer}: choose or leave all its heads`}
                  onClick={() => onChoose(toggled(chosen, layerUnits(layer)))}
                >
                  {`L${layer}`}
                </button>
              </th>
              {layerUnits(layer).map((unit) => {
                const value = values[unit];
                const name = calledUnit(unit, heads, labels);
                const weight = chosen.get(unit) ?? 1;
                const weighed = weight === 1 ? "" : `×${formatWeight(weight)}`;
                const label = `${name}: ${formatSigned(value, decimals + 1)}. ${weighed && `Chosen with weight ${formatWeight(weight)}. `}${about(unit)}`;
                return (
                  <td key={unit}>
                    <button
                      type="button"
                      className={unit === hovered ? "cell hovered" : "cell"}
                      data-unit={unit}
                      aria-pressed={chosen.has(unit)}
                      aria-label={label}
                      title={label}
                      tabIndex={unit === focusable ? 0 : -1}
                      style={{ background: scale.colour(value), color: scale.ink(value) }}
                      onPointerDown={(event) => {
                        pressedBy.current = event.pointerType;
                        if (event.button !== 0 || event.pointerType === "touch") return;
                        event.currentTarget.releasePointerCapture(event.pointerId);
                        start(unit);
                      }}
                      onPointerEnter={(event) => {
                        if (event.pointerType === "touch") return;
                        onHover(unit);
                        paintCell(unit);
                      }}
                      onFocus={(event) => event.target.matches(":focus-visible") && onHover(unit)}
                      onBlur={() => onHover(null)}
                      onClick={(event) => {
                        const chosenAlready = event.detail > 0 && pressedBy.current !== "touch";
                        if (!chosenAlready) onChoose(toggled(chosen, [unit]));
                      }}
                      onKeyDown={(event) => moveFocus(event, unit)}
                    >
                      {roomy ? formatSigned(value, decimals) : ""}
                      {weighed && <small className="weight">{weighed}</small>}
                    </button>
                  </td>
                );
              })}
              {mlps && (
                <MlpCell name={`L${layer}.MLP`} value={mlps[layer + 1]} scale={scale} decimals={decimals} />
              )}
              <td className="sum">{formatSigned(sumOf(layer), decimals)}</td>
            </tr>
          ))}
          {mlps && (
            <tr>
              <th scope="row" colSpan={heads + 1} className="embed">
                embed (where the model starts)
              </th>
              <MlpCell name="embed" value={mlps[0]} scale={scale} decimals={decimals} />
              <td className="sum">{mlps[0] === null ? "" : formatSigned(mlps[0], decimals)}</td>
            </tr>
          )}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row" colSpan={heads + (mlps ? 2 : 1)} className="embed">
              {mlps && mlps[0] !== null ? "everything together" : "all heads together"}
            </th>
            <td className="sum total" data-testid="total">
              {formatSigned(total, 4)}
            </td>
          </tr>
        </tfoot>
      </table>
    </section>
  );
}

interface MlpProps {
  readonly name: string;
  readonly value: number | null;
  readonly scale: ReturnType<typeof signedScale>;
  readonly decimals: number;
}

function MlpCell({ name, value, scale, decimals }: MlpProps) {
  if (value === null)
    return (
      <td className="mlp" title={`${name}: an MLP has no heads and no map`}>
        &nbsp;
      </td>
    );
  return (
    <td
      className="mlp"
      title={`${name}: ${formatSigned(value, decimals + 1)}. An MLP has no heads and no map.`}
      style={{ background: scale.colour(value), color: scale.ink(value) }}
    >
      {formatSigned(value, decimals)}
    </td>
  );
}
