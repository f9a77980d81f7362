/** A simple command line as a shell splits it: words, quoted words, then perhaps a redirection or a comment. */
export const shellWords = (line: string): string[] =>
  [...line.replace(/\s+(#|>>).*$/, "").matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, plain]) => double ?? single ?? plain,
  );
