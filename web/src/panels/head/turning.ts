import { useEffect } from "react";
import type { Navigate } from "../../state/url.ts";

/** The arrow keys lead to the head before and the next one. */
export function useTurning(previous: string | undefined, next: string | undefined, go: Navigate): void {
  useEffect(() => {
    const turn = (event: KeyboardEvent) => {
      const to = { ArrowLeft: previous, ArrowRight: next }[event.key];
      if (to === undefined || isTaken(event)) return;
      event.preventDefault();
      go({ head: to });
    };
    window.addEventListener("keydown", turn);
    return () => window.removeEventListener("keydown", turn);
  }, [previous, next, go]);
}

/** What is typed, or moved over, by the keys that turn pages. */
const isTaken = ({ target, altKey, ctrlKey, metaKey, shiftKey }: KeyboardEvent) =>
  altKey ||
  ctrlKey ||
  metaKey ||
  shiftKey ||
  (target instanceof Element &&
    target.closest("input:not([type=checkbox]), select, textarea, dialog, [tabindex='0']") !== null);
