import { type FormEvent, useState } from "react";
import type { TruncatedText } from "../../../src/results/shapes.ts";
import { truncatedInWords } from "../../../src/views/kit/notice.ts";
import { formatCosine } from "../../../src/views/kit/text.ts";

interface Props {
  readonly texts: readonly string[];
  readonly most: number;
  /** The text that the view is about; undefined where it is about all of them. */
  readonly on?: number;
  /** Of which of them the model reads only the beginning. */
  readonly truncated?: readonly TruncatedText[] | undefined;
  readonly scores?: readonly (number | undefined)[];
  readonly onChange: (texts: readonly string[], on: number) => void;
}

/** The texts as chips: add, remove, choose. */
export function Texts({ texts, most, on, scores = [], truncated = [], onChange }: Props) {
  const [draft, setDraft] = useState("");
  const add = (event: FormEvent) => {
    event.preventDefault();
    const text = draft.trim();
    if (text === "") return;
    const known = texts.indexOf(text);
    setDraft("");
    if (known >= 0) return onChange(texts, known);
    onChange([...texts, text], texts.length);
  };
  const remove = (index: number) => {
    const left = texts.filter((_, i) => i !== index);
    const next = on === undefined ? 0 : on > index || on >= left.length ? Math.max(0, on - 1) : on;
    onChange(left, next);
  };
  return (
    <div className="texts">
      <ul className="chips" aria-label="Texts">
        {texts.map((text, i) => {
          const score = scores[i];
          return (
            <li key={text} className={i === on ? "chip on" : "chip"}>
              {on === undefined ? (
                <span className="chip-text">
                  <bdi>{text}</bdi>
                </span>
              ) : (
                <button
                  type="button"
                  className="chip-text"
                  aria-pressed={i === on}
                  onClick={() => onChange(texts, i)}
                >
                  <bdi>{text}</bdi> <small>{score === undefined ? "" : formatCosine(score)}</small>
                </button>
              )}
              <button
                type="button"
                className="chip-x"
                aria-label={`Remove “${text}”`}
                onClick={() => remove(i)}
              >
                ×
              </button>
            </li>
          );
        })}
      </ul>
      <CutTexts truncated={truncated} />
      {texts.length < most ? (
        <form onSubmit={add}>
          <input
            value={draft}
            dir="auto"
            maxLength={300}
            placeholder="add a text, e.g. “a monkey at the top”"
            aria-label="Add a text"
            onChange={(event) => setDraft(event.target.value)}
          />
          <button type="submit" disabled={draft.trim() === ""}>
            Add
          </button>
        </form>
      ) : (
        <p className="hint">{`These are ${most} texts, as many as fit: remove one to add another.`}</p>
      )}
    </div>
  );
}

/** Says of texts that the model reads only their beginning; heard by a screen reader when it comes up. */
export function CutTexts({ truncated = [] }: { readonly truncated?: readonly TruncatedText[] | undefined }) {
  return (
    <div role="status">
      {truncated.map((text) => (
        <p key={text.text} className="cut">
          {truncatedInWords(text)} The rest has no part in the score.
        </p>
      ))}
    </div>
  );
}
