import { execSync } from "node:child_process";
import { InvalidArgumentError } from "commander";
import { describe, expect, it } from "vitest";
import { number, shellWord, wholeNumber } from "./strings.ts";

const NO_NUMBERS = [
  "",
  " ",
  "NaN",
  "nan",
  "Infinity",
  "-Infinity",
  "1e999",
  "0x10",
  "0b1",
  "1_000",
  "-0",
  "-1",
  "+1",
  "1 ",
  "٣",
  "1,5",
  "--1",
];

describe("a number as an option's value", () => {
  it.each(NO_NUMBERS)("is not %j, whole or not", (text) => {
    for (const read of [wholeNumber(0), number(0)]) expect(() => read(text)).toThrow(InvalidArgumentError);
  });

  it("is within its bounds, which the answer names", () => {
    expect([wholeNumber(0, 9)("9"), number(0, 9)("8.5"), number(0)("15e-1")]).toEqual([9, 8.5, 1.5]);
    expect(() => wholeNumber(1, 9)("10")).toThrow("Give a whole number from 1 to 9");
    expect(() => wholeNumber(1)("1.0")).toThrow("Give a whole number of at least 1");
    expect(() => wholeNumber(0)("9".repeat(400))).toThrow("whole number");
    expect(() => number(0, 9)("9.01")).toThrow("Give a number from 0 to 9");
  });
});

describe("a word of a command line", () => {
  const words = [
    "/plain/path-1.index",
    "a b",
    "it's",
    "$HOME `id` \\ !",
    "*?[a]",
    "~",
    "",
    "né",
    "C:\\a b\\",
    '"',
  ];
  // A line ends in Windows' shells.
  const all = process.platform === "win32" ? words : [...words, "a\nb"];
  it.each(all)("%j comes back from the system's shell as it was", (text) => {
    const print = `"${process.execPath}" -e "process.stdout.write(process.argv[1])" -- ${shellWord(text)}`;
    expect(execSync(print, { encoding: "utf8" })).toBe(text);
  });

  it("is on Windows what cmd and PowerShell both take", () => {
    for (const [text, word] of [
      ["C:\\photos\\a.index", "C:\\photos\\a.index"],
      ["C:\\my photos\\a.index", '"C:\\my photos\\a.index"'],
      ["C:\\my photos\\", '"C:\\my photos\\\\"'],
      ["Ümläut", '"Ümläut"'],
    ])
      expect(shellWord(text, "win32")).toBe(word);
  });
});
