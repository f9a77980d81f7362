import type { Properties } from "../state/api.ts";
import { type Chosen, formatHeads, headsInWords } from "../state/heads.ts";
import { inWords } from "../state/know.ts";

interface Props {
  readonly layers: number;
  readonly heads: number;
  readonly chosen: Chosen;
  readonly properties: Properties["properties"];
  /** A set as it is written, `all`, `last2`, `L3`, or a property's name. */
  readonly onWrite: (heads: string) => void;
}

/** Ways to choose heads without pointing at them: all, the last layers, a layer, a property, or as written. */
export function HeadChooser({ layers, heads, chosen, properties, onWrite }: Props) {
  const last = Math.min(4, Math.max(1, layers - 1));
  const written = formatHeads(chosen, { layers, heads });
  return (
    <div className="chooser" role="group" aria-label="Choose heads">
      <button type="button" onClick={() => onWrite("")} aria-pressed={chosen.size === 0}>
        All heads
      </button>
      {layers > 1 && (
        <button type="button" onClick={() => onWrite(`last${last}`)}>
          {last === 1 ? "Last layer" : `Last ${last} layers`}
        </button>
      )}
      {properties.length > 0 && (
        <label>
          Heads for{" "}
          <select value="" onChange={(event) => onWrite(event.target.value)}>
            <option value="">a property…</option>
            {properties.map(({ name, source, heads: own }) => (
              <option key={name} value={name}>
                {`${name}${source === "factor" ? ` – ${inWords(name)}` : ""} (${own.length > 3 ? `${own.length} heads` : own.map((head) => head.name).join(", ")})`}
              </option>
            ))}
          </select>
        </label>
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          onWrite(String(new FormData(event.currentTarget).get("heads") ?? ""));
        }}
      >
        <label>
          or write{" "}
          <input
            key={written}
            name="heads"
            defaultValue={written}
            placeholder="L3.H1, L2"
            size={12}
            maxLength={400}
          />
        </label>
      </form>
      <span className="chosen">chosen: {headsInWords(chosen, { layers, heads })}</span>
    </div>
  );
}
