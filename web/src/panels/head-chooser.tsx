import { useId, useState } from "react";
import type { ModelDetail, Properties } from "../state/api.ts";
import { formatHeads, headsInWords, type ReadSet, readHeads } from "../state/heads.ts";
import { inWords } from "../state/know.ts";
import { useLabels } from "../state/queries.ts";

interface Props {
  readonly model: ModelDetail;
  /** The set as the address has it. */
  readonly written: string;
  readonly read: ReadSet;
  readonly properties: Properties["properties"];
  /** Whether parts that are no heads make sense here. */
  readonly mlps?: boolean;
  /** A set that can be read. */
  readonly onWrite: (heads: string) => void;
}

/** Ways to choose heads without pointing at them: all, the last layers, a layer, a property, or as written. */
export function HeadChooser({ model, written, read, properties, mlps = false, onWrite }: Props) {
  const { layers } = model;
  const labels = useLabels(model.name);
  const last = Math.min(4, Math.max(1, layers - 1));
  const shown = read.problem === null ? formatHeads(read.chosen, model, read.mlps) : written;
  const [refused, setRefused] = useState<{ readonly of: string; readonly problem: string } | null>(null);
  const why = useId();
  // A refused draft stands until the set changes, however it does.
  const problem = refused?.of === shown ? refused.problem : read.problem;
  const write = (text: string) => {
    const next = readHeads(text, model, properties, { mlps });
    if (next.problem !== null) return setRefused({ of: shown, problem: next.problem });
    setRefused(null);
    onWrite(formatHeads(next.chosen, model, next.mlps));
  };
  return (
    <div className="chooser" role="group" aria-label="Choose heads">
      <button type="button" onClick={() => write("")} aria-pressed={problem === null && shown === ""}>
        All heads
      </button>
      {layers > 1 && (
        <button type="button" onClick={() => write(`last${last}`)}>
          {last === 1 ? "Last layer" : `Last ${last} layers`}
        </button>
      )}
      <label>
        Heads for{" "}
        <select
          value=""
          className="property"
          disabled={properties.length === 0}
          onChange={(event) => write(event.target.value)}
        >
          <option value="">{properties.length === 0 ? "no property is known" : "a property…"}</option>
          {properties.map(({ name, source, heads: own }) => (
            <option key={name} value={name}>
              {`${name}${source === "factor" ? ` – ${inWords(name)}` : ""} (${own.length > 3 ? `${own.length} heads` : own.map((head) => head.name).join(", ")})`}
            </option>
          ))}
        </select>
      </label>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          write(String(new FormData(event.currentTarget).get("heads") ?? ""));
        }}
      >
        <label>
          or write{" "}
          <input
            key={shown}
            name="heads"
            defaultValue={shown}
            placeholder="L3.H1, L2*-1"
            title="Heads (L3.H1), layers (L2), last4, all, a property’s name; each with a weight if you like: L3.H1*-1"
            size={12}
            maxLength={4000}
            aria-invalid={problem !== null}
            aria-describedby={why}
          />
        </label>
      </form>
      <p className={problem === null ? "chosen" : "field-problem"} id={why} role="status">
        {problem === null
          ? `chosen: ${headsInWords(read.chosen, model, read.mlps, labels)}`
          : `These heads cannot be read: ${problem}.`}
      </p>
    </div>
  );
}
