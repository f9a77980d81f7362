/** Parts of docs/ that a script writes and a test compares. */

/** A page with its blocks renewed: what lies between `<!-- KIND: NAME -->` and `<!-- end -->`. */
export function withBlocks(
  page: string,
  kind: string,
  names: readonly string[],
  blocks: Readonly<Record<string, string>>,
): string {
  return names.reduce((text, name) => {
    const start = `<!-- ${kind}: ${name} -->`;
    const [before, rest] = text.split(start);
    const end = rest?.indexOf("<!-- end -->") ?? -1;
    if (rest === undefined || end < 0) throw new Error(`the page lacks ${start} … <!-- end -->`);
    return `${before}${start}\n\n${blocks[name]}\n\n${rest.slice(end)}`;
  }, page);
}
