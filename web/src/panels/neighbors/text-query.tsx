import { type FormEvent, useState } from "react";

/** The text that is searched by. */
export function TextQuery({ text, onAsk }: { text: string; onAsk: (text: string) => void }) {
  const [draft, setDraft] = useState(text);
  const [of, setOf] = useState(text);
  // The address changed under the field, as going back does.
  if (of !== text) {
    setOf(text);
    setDraft(text);
  }
  const ask = (event: FormEvent) => {
    event.preventDefault();
    if (draft.trim() !== "") onAsk(draft.trim());
  };
  return (
    <form onSubmit={ask} className="text-query">
      <label>
        text{" "}
        <input
          value={draft}
          dir="auto"
          maxLength={300}
          size={28}
          onChange={(event) => setDraft(event.target.value)}
        />
      </label>
      <button type="submit">Find</button>
    </form>
  );
}
