import fc from "fast-check";
import { expect, it } from "vitest";
import { findChanges } from "./changes.ts";
import type { ImageRow, RejectedRow } from "./rows.ts";
import { NO_FACTORS, type SourceImage } from "./source-image.ts";

/** What an index and a source say of one path, or that they have nothing of it. */
const meetings = fc.uniqueArray(
  fc.record({
    path: fc
      .tuple(fc.constantFrom("a/", "b/", ""), fc.string({ minLength: 1, maxLength: 3 }))
      .map((parts) => parts.join("")),
    source: fc.constantFrom("none", "whole", "larger", "unread", "deleted"),
    index: fc.constantFrom("none", "image", "rejected"),
  }),
  { selector: ({ path }) => path, maxLength: 60 },
);
type Meeting = { path: string; source: string; index: string };

const imageOf = ({ path, source }: Meeting): SourceImage => ({
  path,
  bytes: source === "larger" ? 8 : 7,
  label: null,
  factors: NO_FACTORS,
  ...(source === "unread" && { unread: { code: "INPUT_UNREADABLE", message: "away" } }),
  ...(source === "deleted" && { listed: true, unread: { code: "INPUT_NOT_FOUND", message: "gone" } }),
});
const rowOf = ({ path, index }: Meeting) => {
  const row = { path, bytes: 7, label: null, factors: {} };
  const rejected = { ...row, code: "IMAGE_INVALID", message: "cut" };
  return (index === "rejected" ? rejected : row) as unknown as ImageRow | RejectedRow;
};
const pathsOf = (some: readonly Meeting[]) => some.map(({ path }) => path);

it("every image of a source and every row of an index is named once, in their order, for what became of it", async () => {
  const named = async (all: readonly Meeting[], unseen: readonly string[], together: number) => {
    const rows = all.filter(({ index }) => index !== "none").map(rowOf);
    async function* some() {
      for (let i = 0; i < rows.length; i += together) yield rows.slice(i, i + together);
    }
    const images = all.filter(({ source }) => source !== "none").map(imageOf);
    const found = await findChanges({ images, unseen }, some());
    const plain = (group: readonly { path: string }[]) => group.map(({ path }) => path);
    return { ...found, added: plain(found.added), unread: plain(found.unread) };
  };
  await fc.assert(
    fc.asyncProperty(
      meetings,
      fc.constantFrom([], ["a"]),
      fc.integer({ min: 1, max: 9 }),
      async (all, unseen, together) => {
        const of = (fits: (meeting: Meeting) => boolean) => pathsOf(all.filter(fits));
        const away = (source: string) => source === "unread" || source === "deleted";
        const seen = (path: string) => !(unseen.length > 0 && path.startsWith("a/"));
        expect(await named(all, unseen, together)).toEqual({
          added: of(({ source, index }) => index === "none" && (source === "whole" || source === "larger")),
          retried: of(({ source, index }) => index === "rejected" && source === "larger"),
          changed: of(({ source, index }) => index === "image" && source === "larger"),
          removed: of(
            ({ path, source, index }) =>
              (source === "none" && index !== "none" && seen(path)) ||
              (source === "deleted" && index === "image"),
          ),
          unread: of(({ source, index }) => away(source) && !(source === "deleted" && index === "image")),
        });
      },
    ),
    { numRuns: 300 },
  );
});
