import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addressCases } from "./address.cases.ts";
import { startWorld, stopWorld } from "./app-world.ts";
import { missing, skip } from "./browser.ts";
import { corporaCases } from "./corpora.cases.ts";
import { everyoneCases } from "./everyone.cases.ts";
import { headsCases } from "./heads.cases.ts";
import { lookCases } from "./look.cases.ts";
import { neighborsCases } from "./neighbors.cases.ts";
import { picturesCases } from "./pictures.cases.ts";
import { problemsCases } from "./problems.cases.ts";
import { reportsCases } from "./reports.cases.ts";
import { segmentCases } from "./segment.cases.ts";
import { serverCases } from "./server.cases.ts";
import { takeAlongCases } from "./take-along.cases.ts";
import { touchCases } from "./touch.cases.ts";

if (skip) console.warn(`The browser's tests are skipped: ${missing}`);

/* Each view's tests are a file of their own; all share one browser and one server, which take the longest to start. */
describe.skipIf(skip)("the web app in a browser", { timeout: 180_000 }, () => {
  beforeAll(startWorld, 300_000);
  afterAll(stopWorld, 120_000);

  describe("Look", lookCases);
  describe("Segment", segmentCases);
  describe("Neighbours", neighborsCases);
  describe("Heads", headsCases);
  describe("Reports", reportsCases);
  describe("pictures of one's own", corporaCases);
  describe("the address", addressCases);
  describe("pictures", picturesCases);
  describe("what is taken along", takeAlongCases);
  describe("what goes wrong", problemsCases);
  describe("one server", serverCases);
  describe("everyone", everyoneCases);
  describe("phones", touchCases);
});

describe("without a browser", () => {
  it("in CI these tests fail rather than being skipped", () => {
    if (process.env.CI === "true") expect(missing).toBeUndefined();
  });
});
