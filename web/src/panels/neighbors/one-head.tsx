import { calledUnit } from "../../state/atlas.ts";
import type { Labels } from "../../state/queries.ts";

/** A single head to search by. */
export function OneHead(props: {
  labels: Labels;
  layers: number;
  heads: number;
  chosen: number | null;
  onChoose: (unit: number | null) => void;
}) {
  const { labels, layers, heads, chosen, onChoose } = props;
  return (
    <label>
      head{" "}
      <select
        value={chosen ?? ""}
        onChange={(event) => onChoose(event.target.value === "" ? null : Number(event.target.value))}
      >
        <option value="">several, or all</option>
        {Array.from({ length: layers * heads }, (_, unit) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a head is its number
          <option key={unit} value={unit}>
            {calledUnit(unit, heads, labels)}
          </option>
        ))}
      </select>
    </label>
  );
}
