import { useSyncExternalStore } from "react";
import { store, stored } from "./stored.ts";

/** One picture that was looked at, with the last texts that it was asked. */
export interface PastLook {
  readonly model: string;
  readonly image: string;
  readonly texts: readonly string[];
  readonly corpus: string;
  /** What the picture is called. */
  readonly name: string;
  /** Kept when others go. */
  readonly pinned: boolean;
}

const KEY = "clip-interpret looks";
/** Looks that are remembered, and the most of them that can be pinned. */
export const MOST_LOOKS = 24;
const MOST_PINNED = 12;

let looks: readonly PastLook[] = read();
const listeners = new Set<() => void>();

function read(): readonly PastLook[] {
  try {
    const kept: unknown = JSON.parse(stored("localStorage", KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter(isLook).slice(0, MOST_LOOKS) : [];
  } catch {
    return [];
  }
}

function isLook(value: unknown): value is PastLook {
  const one = value as Partial<PastLook> | null;
  const words = [one?.model, one?.image, one?.corpus, one?.name];
  return words.every((word) => typeof word === "string") && Array.isArray(one?.texts);
}

function keep(next: readonly PastLook[]): void {
  looks = next;
  store("localStorage", KEY, JSON.stringify(next));
  for (const listener of listeners) listener();
}

const isSame = (one: PastLook, other: Pick<PastLook, "model" | "image">) =>
  one.image === other.image && one.model === other.model;

/** Remembers a look, newest first; the oldest that is not pinned goes when there are too many. */
export function remember(look: Omit<PastLook, "pinned">): void {
  const known = looks.find((one) => isSame(one, look));
  const rest = looks.filter((one) => !isSame(one, look));
  const all = [{ ...look, pinned: known?.pinned ?? false }, ...rest];
  const spare = all
    .filter(({ pinned }) => !pinned)
    .slice(MOST_LOOKS - all.filter(({ pinned }) => pinned).length);
  keep(all.filter((one) => !spare.includes(one)));
}

/** Pins a look, or lets it go; false where too many are pinned already. */
export function pin(look: PastLook, pinned: boolean): boolean {
  if (pinned && looks.filter((one) => one.pinned).length >= MOST_PINNED) return false;
  keep(looks.map((one) => (isSame(one, look) ? { ...one, pinned } : one)));
  return true;
}

/** Forgets all looks that are not pinned. */
export const forget = (): void => keep(looks.filter(({ pinned }) => pinned));

/** What was looked at: pinned ones first, then newest first. */
export function useHistory(): readonly PastLook[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => looks,
  );
}
