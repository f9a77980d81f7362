import { describe, expect, it } from "vitest";
import { ClipInterpretError } from "../support/errors.ts";
import { problemOf, withoutFolders } from "./problems.ts";

describe("what a client sees", () => {
  it.each([
    ["no such file: /home/ann/pictures/a b.png", "no such file: …/a b.png"],
    ["not in C:\\Users\\ann\\.cache\\hub", "not in …/hub"],
    ["cannot write '/var/x/y.part': EACCES", "cannot write '…/y.part': EACCES"],
    [
      "organisation/name at https://huggingface.co/api/models is gone",
      "organisation/name at https://huggingface.co/api/models is gone",
    ],
    [
      "cannot read s3://secret/photos/a.index/manifest.json: timed out",
      "cannot read s3://…/manifest.json: timed out",
    ],
    ["no index in s3://secret/a.index", "no index in s3://…/a.index"],
    ["3/4 heads, L0–L3 and/or none", "3/4 heads, L0–L3 and/or none"],
  ])("%s", (message, shown) => {
    expect(withoutFolders(message)).toBe(shown);
    expect(problemOf(new ClipInterpretError("INPUT_NOT_FOUND", message)).message).toBe(shown);
  });

  it("of a fault of ours nothing but that it happened", () => {
    for (const error of [
      new TypeError("x of undefined at /srv/app.ts"),
      "text",
      new ClipInterpretError("INTERNAL", "secret"),
    ]) {
      const problem = problemOf(error);
      expect(problem.code).toBe("INTERNAL");
      expect(JSON.stringify(problem)).not.toMatch(/undefined|secret|srv|text/);
    }
  });
});
