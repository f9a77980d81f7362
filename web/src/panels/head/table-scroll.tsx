import type { ReactNode } from "react";

/** A table that scrolls sideways where it is wider than the window: by keyboard too. */
export function TableScroll({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls and holds nothing to tab to is else out of the keyboard's reach
    <section className="table-scroll" aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
