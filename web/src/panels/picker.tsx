import { useEffect, useRef, useState } from "react";
import { CorpusPicture } from "../plots/corpus-picture.tsx";
import { ApiError, client, upload } from "../state/api.ts";
import { give, type Handed, handedDrop } from "../state/folders.ts";
import { useCorpora, useCorpusImages } from "../state/queries.ts";
import { useViewState } from "../state/url.ts";
import { Dialog, DialogButton } from "./dialog.tsx";
import { ProblemNote } from "./problem.tsx";

interface Props {
  readonly model: string | undefined;
  readonly mostBytes: number;
  readonly onPick: (image: string) => void;
}

/** A picture from a file, the clipboard, a drop anywhere on the page, or a corpus. */
export function Picker({ model, mostBytes, onPick }: Props) {
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [dragging, setDragging] = useState(false);
  const file = useRef<HTMLInputElement>(null);
  const note = useRef<HTMLDivElement>(null);
  const [, go] = useViewState();
  const latest = useRef({ onPick, mostBytes, model, go });
  latest.current = { onPick, mostBytes, model, go };

  // What was dropped at the top of the page is refused here, which may be below what is seen.
  useEffect(() => {
    if (error !== null) note.current?.scrollIntoView({ block: "center" });
  }, [error]);

  useEffect(() => {
    const take = async (blob: Blob | null | undefined) => {
      if (!blob) return;
      setError(null);
      if (blob.size > latest.current.mostBytes) {
        const message = `This file has ${(blob.size / 1e6).toFixed(0)} MB; the server takes ${(latest.current.mostBytes / 1e6).toFixed(0)} MB.`;
        setError(
          new ApiError({ code: "UPLOAD_TOO_LARGE", message, hint: "Save the picture smaller, or as JPEG." }),
        );
        return;
      }
      setBusy(true);
      try {
        latest.current.onPick((await upload(blob)).image);
      } catch (failure) {
        setError(failure);
      } finally {
        setBusy(false);
      }
    };
    const takeFolder = async (handed: Promise<Handed>) => {
      const { model: by, go: open } = latest.current;
      if (by === undefined) return;
      setError(null);
      setBusy(true);
      try {
        open({ view: "neighbors", corpus: await give(await handed, by), tour: 0 });
      } catch (failure) {
        setError(failure);
      } finally {
        setBusy(false);
      }
    };
    const paste = (event: ClipboardEvent) => {
      const image = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
      if (image) {
        event.preventDefault();
        void take(image);
      }
    };
    const over = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setDragging(true);
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) setDragging(false);
    };
    const drop = (event: DragEvent) => {
      event.preventDefault();
      setDragging(false);
      const folder = client.takesFolders && event.dataTransfer ? handedDrop(event.dataTransfer) : undefined;
      void (folder ? takeFolder(folder) : take(event.dataTransfer?.files[0]));
    };
    const input = file.current;
    const chosen = () => {
      void take(input?.files?.[0]);
      if (input) input.value = "";
    };
    input?.addEventListener("change", chosen);
    window.addEventListener("paste", paste);
    window.addEventListener("dragover", over);
    window.addEventListener("dragleave", leave);
    window.addEventListener("drop", drop);
    return () => {
      input?.removeEventListener("change", chosen);
      window.removeEventListener("paste", paste);
      window.removeEventListener("dragover", over);
      window.removeEventListener("dragleave", leave);
      window.removeEventListener("drop", drop);
    };
  }, []);

  return (
    <div className="picker">
      <div className="buttons">
        <button type="button" onClick={() => file.current?.click()} disabled={busy}>
          {busy ? "Reading…" : "Your picture…"}
        </button>
        <DialogButton label="From the corpus…" title="Choose a picture of a corpus">
          {(close) => (
            <Dialog title="Choose a picture" onClose={close}>
              <CorpusPictures
                model={model}
                onPick={(image) => {
                  close();
                  onPick(image);
                }}
              />
            </Dialog>
          )}
        </DialogButton>
      </div>
      <p className="hint">
        or drop one{client.takesFolders && ", or a folder of them,"} anywhere, or paste it
      </p>
      <input
        ref={file}
        type="file"
        accept="image/*,.heic,.heif,.avif,.ppm,.pgm,.pbm"
        className="hidden"
        aria-label="A picture from a file"
        tabIndex={-1}
      />
      {error !== null && (
        <div ref={note}>
          <ProblemNote error={error}>
            <button type="button" onClick={() => setError(null)}>
              Close
            </button>
          </ProblemNote>
        </div>
      )}
      {dragging && (
        <div className="dropzone">
          {client.takesFolders
            ? "Drop a picture, or a folder of pictures, anywhere"
            : "Drop the picture anywhere"}
        </div>
      )}
    </div>
  );
}

const PAGE = 60;

interface CorpusProps {
  readonly model: string | undefined;
  readonly onPick: (image: string) => void;
}

function CorpusPictures({ model, onPick }: CorpusProps) {
  const { data: corpora } = useCorpora(model);
  const made = corpora?.corpora.filter((corpus) => corpus.made) ?? [];
  const [chosen, setChosen] = useState<string>();
  const [offset, setOffset] = useState(0);
  const corpus = chosen ?? made[0]?.name ?? "scenes";
  const { data, error, isPending } = useCorpusImages(corpus, offset, PAGE, made.length > 0);
  const total = data?.total ?? 0;
  return (
    <>
      <div className="buttons" role="group" aria-label="Corpora">
        {made.map(({ name, title }) => (
          <button
            type="button"
            key={name}
            aria-pressed={name === corpus}
            onClick={() => {
              setChosen(name);
              setOffset(0);
            }}
          >
            {title}
          </button>
        ))}
      </div>
      {error && <ProblemNote error={error} />}
      {isPending && <p className="waiting">Reading what is there…</p>}
      <ul className="gallery">
        {data?.images.map(({ image, label, path }) => (
          <li key={image}>
            <button type="button" onClick={() => onPick(image)} title={path}>
              <CorpusPicture image={image} side={96} lazy />
              <bdi>{label ?? path.split("/").at(-1)}</bdi>
            </button>
          </li>
        ))}
      </ul>
      {total > PAGE && (
        <div className="buttons">
          <button type="button" disabled={offset === 0} onClick={() => setOffset(offset - PAGE)}>
            ← Earlier
          </button>
          <span>{`${offset + 1}–${Math.min(total, offset + PAGE)} of ${total.toLocaleString("en")}`}</span>
          <button type="button" disabled={offset + PAGE >= total} onClick={() => setOffset(offset + PAGE)}>
            Later →
          </button>
        </div>
      )}
    </>
  );
}
