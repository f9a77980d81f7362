import { type FormEvent, useState } from "react";
import { type AtlasLabel, put } from "../state/api.ts";
import { queryClient } from "../state/queries.ts";
import { ProblemNote } from "./problem.tsx";

interface Props {
  readonly model: string;
  readonly head: string;
  readonly label: AtlasLabel | null;
}

const BY = "clip-interpret labels by";

/** What a head is called, to be changed; an empty label takes one's own away. */
export function HeadLabel({ model, head, label }: Props) {
  const [error, setError] = useState<unknown>(null);
  const [said, setSaid] = useState<{ of: string; what: "kept" | "gone" } | null>(null);
  const own = label?.kind === "manual" ? label : null;
  const write = async (text: string, by: string) => {
    setError(null);
    try {
      await put(`/api/atlas/heads/${head}/label`, { model, label: text, by });
      await Promise.all(
        ["atlas", "labels", "properties"].map((key) => queryClient.invalidateQueries({ queryKey: [key] })),
      );
      setSaid({ of: head, what: text === "" ? "gone" : "kept" });
    } catch (failure) {
      setError(failure);
    }
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const by = String(given.get("by") ?? "").trim();
    rememberBy(by);
    void write(String(given.get("label") ?? "").trim(), by);
  };
  return (
    <form
      className="head-label"
      onSubmit={submit}
      key={`${head} ${own?.label}`}
      aria-label="Label of this head"
    >
      <label>
        call it
        <input
          name="label"
          defaultValue={own?.label ?? ""}
          dir="auto"
          maxLength={80}
          placeholder={label?.label ?? "what it looks for"}
        />
      </label>
      <label>
        says
        <input
          name="by"
          defaultValue={own?.by ?? rememberedBy()}
          dir="auto"
          maxLength={80}
          placeholder="your name"
        />
      </label>
      <button type="submit">Keep</button>
      {own && (
        <button type="button" onClick={() => void write("", "")}>
          Take my label away
        </button>
      )}
      <span className="said" role="status">
        {said?.of === head && (said.what === "kept" ? "Kept, for everybody on this server." : "It is gone.")}
      </span>
      {error !== null && <ProblemNote error={error} />}
    </form>
  );
}

function rememberedBy(): string {
  try {
    return localStorage.getItem(BY) ?? "";
  } catch {
    return "";
  }
}

function rememberBy(by: string): void {
  try {
    localStorage.setItem(BY, by);
  } catch {
    // Without storage it is asked for again.
  }
}
