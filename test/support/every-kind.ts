/**
 * What is tried on every kind of model: in a quick run on a few that stand for the rest, on all of them in `npm run test:long`.
 * That their numbers are right is held on every kind in every run (`test/goldens/kinds.test.ts`, `test/integration/kinds.test.ts`).
 *
 * @param quick which of them a quick run takes
 */
export const everyKind = <T>(all: readonly T[], quick: (kind: T) => boolean): readonly T[] =>
  process.env.EVERY_KIND ? all : all.filter(quick);
