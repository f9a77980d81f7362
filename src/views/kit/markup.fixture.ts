import { expect } from "vitest";

/** Throws unless the elements of an SVG or HTML fragment are closed in the order they were opened. */
export function expectBalanced(markup: string): void {
  const open: string[] = [];
  for (const [, closing, name, selfClosed] of markup.matchAll(/<(\/?)([a-zA-Z]\w*)[^<>]*?(\/?)>/g)) {
    if (selfClosed === "/" || name === "meta" || name === "br") continue;
    if (closing === "") open.push(name);
    else expect(open.pop()).toBe(name);
  }
  expect(open).toEqual([]);
}
