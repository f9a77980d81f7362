import { useState } from "react";
import { CorpusPicture } from "../plots/corpus-picture.tsx";
import { forget, type PastLook, pin, useHistory } from "../state/history.ts";
import { formatAddress, type Settled } from "../state/url.ts";
import { Dialog, DialogButton } from "./dialog.tsx";

interface Props {
  readonly state: Settled;
  readonly onOpen: (look: PastLook) => void;
}

/** What was looked at in this browser: to come back to, or to pin. */
export function History({ state, onOpen }: Props) {
  const looks = useHistory();
  const [full, setFull] = useState(false);
  const sorted = [...looks.filter(({ pinned }) => pinned), ...looks.filter(({ pinned }) => !pinned)];
  return (
    <DialogButton label="Recent" title="What was looked at in this browser">
      {(close) => (
        <Dialog title="What you looked at" onClose={close}>
          {sorted.length === 0 && <p className="empty">Nothing yet.</p>}
          <ul className="past">
            {sorted.map((look) => (
              <li key={`${look.model} ${look.image}`}>
                <a
                  href={formatAddress({ ...state, view: "look", ...addressOf(look) })}
                  onClick={(event) => {
                    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
                    event.preventDefault();
                    close();
                    onOpen(look);
                  }}
                >
                  <CorpusPicture image={look.image} side={96} lazy />
                  <span>
                    <bdi>{look.name}</bdi>
                    <small>
                      <bdi>{look.texts.join(" · ") || "no text"}</bdi>
                    </small>
                  </span>
                </a>
                <button
                  type="button"
                  aria-pressed={look.pinned}
                  aria-label={`Pin ${look.name}`}
                  onClick={() => setFull(!pin(look, !look.pinned))}
                >
                  {look.pinned ? "Pinned" : "Pin"}
                </button>
              </li>
            ))}
          </ul>
          <p role="status">{full && "As many are pinned as fit: let one go first."}</p>
          <div className="buttons">
            <button type="button" disabled={looks.every(({ pinned }) => pinned)} onClick={forget}>
              Forget those that are not pinned
            </button>
            <small>Kept in this browser alone.</small>
          </div>
        </Dialog>
      )}
    </DialogButton>
  );
}

/** What of an address a look sets. */
export const addressOf = ({ model, image, texts, corpus }: PastLook) => ({
  ...{ model, image, texts, corpus, on: 0, heads: "", against: null, tour: 0 },
});
