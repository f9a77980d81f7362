import { type ReactNode, useRef, useState } from "react";

interface ButtonProps {
  readonly label: ReactNode;
  readonly title: string;
  readonly className?: string;
  /** What the dialog holds, made when it opens. */
  readonly children: (close: () => void) => ReactNode;
}

/** A button that opens a dialog of the browser's own: Escape closes it, focus stays in it and comes back. */
export function DialogButton({ label, title, className, children }: ButtonProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [open, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        className={className}
        title={title}
        onClick={() => {
          setOpen(true);
          dialog.current?.showModal();
        }}
      >
        {label}
      </button>
      <dialog ref={dialog} onClose={() => setOpen(false)} aria-label={title}>
        {open && children(() => dialog.current?.close())}
      </dialog>
    </>
  );
}

/** What is in a dialog, under its title. */
export function Dialog({
  title,
  onClose,
  children,
}: {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}) {
  return (
    <>
      <div className="dialog-head">
        <h2>{title}</h2>
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
      {children}
    </>
  );
}
