import { join, resolve, win32 } from "node:path";
import { expect, it } from "vitest";
import { nameIn } from "../support/paths.ts";
import { openedRoot } from "./root.ts";

it("a root that is absolute on another system stays what it is", async () => {
  for (const root of ["C:\\photos", "D:/photos/2024", "\\\\nas\\photos", "/home/a/photos"])
    expect(await openedRoot("/indexes/photos.index", root)).toBe(root);
});

it("a root beside the index is found from it, with the slashes that manifests have", async () => {
  const index = join("/indexes", "photos.index");
  expect(await openedRoot(index, "../photos")).toBe(resolve("/indexes", "photos"));
});

it("a name is the last part of Windows' paths too", () => {
  for (const path of ["C:\\photos\\a b.jpg", "C:/photos/a b.jpg", "\\\\nas\\photos\\a b.jpg"])
    expect(nameIn(path)).toBe(win32.basename(path));
});
