import { useEffect, useMemo, useRef } from "react";
import { NARROW_SCATTER, SCATTER, type ScatterAxis, scatter } from "../../../src/views/atlas/drawings.ts";
import type { AtlasEntry } from "../state/api.ts";
import { useIsPhone } from "../state/phone.ts";

interface Props {
  readonly heads: readonly AtlasEntry[];
  readonly x: ScatterAxis;
  readonly y: ScatterAxis;
  /** Heads that are in the list below; others are pale. */
  readonly shown: ReadonlySet<string>;
  readonly pointed: string | null;
  readonly onPoint: (head: string | null) => void;
  readonly href: (head: string) => string;
  readonly onOpen: (head: string) => void;
}

/** More names than these would lie over each other: a point says its own when it is pointed at. */
const MOST_NAMES = 40;

/** Heads as points over two metrics; each leads to its page. */
export function HeadScatter({ heads, x, y, shown, pointed, onPoint, href, onOpen }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const room = useIsPhone() ? NARROW_SCATTER : SCATTER;
  const drawing = useMemo(() => scatter(heads, x, y, href, room), [heads, x, y, href, room]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another drawing has other points
  useEffect(() => {
    for (const point of box.current?.querySelectorAll<SVGAElement>("a[data-head]") ?? []) {
      const name = point.dataset.head ?? "";
      point.classList.toggle("faint", !shown.has(name));
      point.classList.toggle("pointed", name === pointed);
      // The squares and the list hold the same links; a keyboard need not pass all of them again.
      point.tabIndex = -1;
    }
  }, [drawing, shown, pointed]);
  const headAt = (target: EventTarget) =>
    (target as Element).closest<SVGAElement>("a[data-head]")?.dataset.head;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: its links are what is clicked
    // biome-ignore lint/a11y/useKeyWithClickEvents: they are links to a keyboard too
    <div
      className={heads.length > MOST_NAMES ? "scatter crowded" : "scatter"}
      ref={box}
      onPointerOver={(event) => event.pointerType !== "touch" && onPoint(headAt(event.target) ?? null)}
      onPointerLeave={() => onPoint(null)}
      onClick={(event) => {
        const head = headAt(event.target);
        if (head === undefined || event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        onOpen(head);
      }}
    >
      <svg
        className="drawn"
        viewBox={`0 0 ${drawing.width} ${drawing.height}`}
        role="group"
        aria-label={`Heads by ${x.name} and ${y.name}`}
        // biome-ignore lint/security/noDangerouslySetInnerHtml: drawings escape every text that they hold
        dangerouslySetInnerHTML={{ __html: drawing.body }}
      />
    </div>
  );
}
