import type { KeyboardEvent } from "react";
import { metricPaint } from "../../../src/views/atlas/svg.ts";
import { metricValue } from "../../../src/views/atlas/words.ts";
import type { AtlasMetricWords, AtlasResult } from "../state/api.ts";
import { calledHead } from "../state/atlas.ts";
import { keyLeadsTo } from "./arrow-keys.ts";

interface Props {
  readonly atlas: Pick<AtlasResult, "layers" | "headsPerLayer" | "heads">;
  /** What squares are coloured by. */
  readonly metric: AtlasMetricWords;
  /** Heads that are in the list below; others are pale. */
  readonly shown: ReadonlySet<string>;
  readonly pointed: string | null;
  readonly onPoint: (head: string | null) => void;
  readonly href: (head: string) => string;
  readonly onOpen: (head: string) => void;
}

/** Every head as a square, rows by layer, the last on top; its colour is one metric. Each leads to its page. */
export function HeadMap({ atlas, metric, shown, pointed, onPoint, href, onOpen }: Props) {
  const { layers, headsPerLayer, heads } = atlas;
  const paint = metricPaint(heads, metric);
  const rows = Array.from({ length: layers }, (_, i) => layers - 1 - i);
  const roomy = headsPerLayer <= 8;
  const focusable = pointed ?? heads.at(-headsPerLayer)?.name;
  const moveFocus = (event: KeyboardEvent, unit: number) => {
    const next = keyLeadsTo(event.key, unit, layers, headsPerLayer);
    if (next === null) return;
    event.preventDefault();
    if (next !== undefined)
      event.currentTarget
        .closest("table")
        ?.querySelector<HTMLElement>(`[data-head="${heads[next].name}"]`)
        ?.focus();
  };
  return (
    <section className="matrix-scroll" aria-label="Heads by layer" tabIndex={roomy ? undefined : 0}>
      <table className={roomy ? "matrix roomy" : "matrix"} onPointerLeave={() => onPoint(null)}>
        <caption className="hidden">{`${metric.name} of each head. Arrow keys move, Enter opens. Rows are layers, the last on top.`}</caption>
        <thead>
          <tr>
            <td />
            {Array.from({ length: headsPerLayer }, (_, head) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a head is its number
              <th scope="col" key={head}>
                {`H${head}`}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((layer) => (
            <tr key={layer}>
              <th scope="row">{`L${layer}`}</th>
              {heads.slice(layer * headsPerLayer, (layer + 1) * headsPerLayer).map((entry, head) => {
                const { name, label, metrics } = entry;
                const value = metrics[metric.key];
                const said = `${calledHead(name, label?.label)}: ${metric.name} ${metricValue(value, metric.unit)}`;
                const state = `${shown.has(name) ? "" : " faint"}${name === pointed ? " hovered" : ""}`;
                return (
                  <td key={name}>
                    <a
                      className={`cell square${state}`}
                      data-head={name}
                      href={href(name)}
                      tabIndex={name === focusable ? 0 : -1}
                      onKeyDown={(event) => moveFocus(event, layer * headsPerLayer + head)}
                      title={said}
                      aria-label={said}
                      style={styleOf(paint(value))}
                      onPointerEnter={(event) => event.pointerType !== "touch" && onPoint(name)}
                      onFocus={() => onPoint(name)}
                      onBlur={() => onPoint(null)}
                      onClick={(event) => {
                        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
                        event.preventDefault();
                        onOpen(name);
                      }}
                    >
                      {roomy && metricValue(value, metric.unit)}
                    </a>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const styleOf = (colours: ReturnType<ReturnType<typeof metricPaint>>) =>
  colours ? { background: colours.fill, color: colours.ink } : { background: "none", color: "var(--muted)" };
