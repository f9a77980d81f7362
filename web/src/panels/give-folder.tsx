import { useRef, useState } from "react";
import { get } from "../state/api.ts";
import { give, handedOver } from "../state/folders.ts";
import { ProblemNote } from "./problem.tsx";

/** A folder of one's own, or some pictures, that a page without a server looks at and keeps. */
export function GiveFolder({
  model,
  onGiven,
}: {
  readonly model: string;
  readonly onGiven: (corpus: string) => void;
}) {
  const [failure, setFailure] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const folder = useRef<HTMLInputElement>(null);
  const pictures = useRef<HTMLInputElement>(null);
  const take = async (input: HTMLInputElement) => {
    const files = [...(input.files ?? [])];
    input.value = "";
    if (files.length === 0) return;
    setFailure(null);
    setBusy(true);
    try {
      onGiven(await give(handedOver(files), model));
    } catch (problem) {
      setFailure(problem);
    } finally {
      setBusy(false);
    }
  };
  return (
    <section className="add-folder" aria-label="Add pictures of your own">
      <h3>Add pictures of your own</h3>
      <p className="hint">
        They are looked at in this tab and kept in this browser alone, until you remove them. A folder can be
        dropped anywhere, too.
      </p>
      <div className="buttons">
        <button type="button" className="primary" disabled={busy} onClick={() => folder.current?.click()}>
          {busy ? "Reading…" : "A folder…"}
        </button>
        <button type="button" disabled={busy} onClick={() => pictures.current?.click()}>
          Some pictures…
        </button>
      </div>
      <input
        ref={folder}
        type="file"
        className="hidden"
        aria-label="A folder of pictures"
        tabIndex={-1}
        {...{ webkitdirectory: "" }}
        onChange={(event) => void take(event.currentTarget)}
      />
      <input
        ref={pictures}
        type="file"
        multiple
        accept="image/*,.ppm,.pgm,.pbm"
        className="hidden"
        aria-label="Some pictures"
        tabIndex={-1}
        onChange={(event) => void take(event.currentTarget)}
      />
      {failure !== null && <ProblemNote error={failure} />}
    </section>
  );
}

interface LeftOut {
  readonly rejected: readonly { readonly path: string; readonly message: string }[];
  readonly passedOver: { readonly hidden: number; readonly others: Readonly<Record<string, number>> };
}

const LISTS = [".txt", ".csv", ".jsonl"];

/** Files of a folder that are not searched, each with its reason; read when it is opened. */
export function LeftOutFiles({ corpus, model }: { readonly corpus: string; readonly model: string }) {
  const [files, setFiles] = useState<LeftOut>();
  const [failure, setFailure] = useState<unknown>(null);
  const query = new URLSearchParams({ model });
  return (
    <details
      className="left-out"
      onToggle={({ currentTarget: { open } }) => {
        if (open) get<LeftOut>(`/api/corpora/${corpus}/left-out?${query}`).then(setFiles, setFailure);
      }}
    >
      <summary>What was left out</summary>
      {failure !== null && <ProblemNote error={failure} />}
      {files && (
        <ul>
          {files.rejected.map(({ path, message }) => (
            <li key={path}>
              {!message.includes(path) && (
                <>
                  <bdi>{path}</bdi>:{" "}
                </>
              )}
              {message}
            </li>
          ))}
          {Object.entries(files.passedOver.others).map(([kind, count]) => (
            <li key={kind}>
              {count} {count === 1 ? "file" : "files"} {kind.startsWith(".") ? `ending in ${kind}` : kind}: no{" "}
              {count === 1 ? "picture" : "pictures"} by {count === 1 ? "its" : "their"} name
            </li>
          ))}
          {LISTS.some((kind) => kind in files.passedOver.others) && (
            <li>Lists of pictures, and labels in them, are read by the command alone.</li>
          )}
          {files.passedOver.hidden > 0 && (
            <li>{files.passedOver.hidden} hidden, or kept by other programs</li>
          )}
          {files.rejected.length + Object.keys(files.passedOver.others).length + files.passedOver.hidden ===
            0 && <li>Nothing.</li>}
        </ul>
      )}
    </details>
  );
}
