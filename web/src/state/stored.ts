/*
 * What the browser keeps of this page. It may keep nothing, as in a frame of another site's page or in a private window:
 * then every look-up finds nothing, and what is kept lasts as long as the page.
 */

type Kind = "localStorage" | "sessionStorage";

/** What is kept under a name; null where nothing is, or where nothing can be kept. */
export function stored(kind: Kind, key: string): string | null {
  try {
    return window[kind].getItem(key);
  } catch {
    return null;
  }
}

/** Keeps something under a name, if the browser lets it. */
export function store(kind: Kind, key: string, value: string): void {
  try {
    window[kind].setItem(key, value);
  } catch {
    // It lasts as long as the page.
  }
}
