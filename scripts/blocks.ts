/** A page with some of its blocks renewed: what lies between `<!-- KIND: NAME -->` and `<!-- end -->`. */
export const withBlocks = (
  page: string,
  kind: string,
  names: readonly string[],
  blocks: Readonly<Record<string, string>>,
): string =>
  names.reduce((text, name) => {
    const start = `<!-- ${kind}: ${name} -->`;
    const [before, rest] = text.split(start);
    const end = rest?.indexOf("<!-- end -->") ?? -1;
    if (rest === undefined || end < 0) throw new Error(`the page lacks ${start} … <!-- end -->`);
    return `${before}${start}\n\n${blocks[name]}\n\n${rest.slice(end)}`;
  }, page);
