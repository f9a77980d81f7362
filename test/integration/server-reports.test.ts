import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reportOf } from "../../src/study/study.fixture.ts";
import { result } from "../../src/views/compare/compare.fixture.ts";
import { compareHtml } from "../../src/views/compare/page.ts";
import { studyHtml } from "../../src/views/study/page.ts";
import { send, startTestServer, type TestServer } from "../support/app-server.ts";

describe("reports in the app", () => {
  let folder: string;
  let server: TestServer;
  const study = () => join(folder, "My report");
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "clip-interpret-reports-"));
    await mkdir(study());
    await writeFile(join(study(), "index.html"), studyHtml(await reportOf(["one", 10, 4], ["two", 20, 4])));
    await writeFile(join(folder, "pairs.html"), compareHtml(result(2, 3), { pictureOf: new Map() }));
    server = await startTestServer({ reports: [study(), join(folder, "pairs.html"), study()] });
  });
  afterAll(async () => {
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("are listed by title, and sent as they were drawn; written again, they are shown anew", async () => {
    const { reports } = (await send(server.url, "/api/app")).json<{
      reports: { id: string; title: string }[];
    }>();
    expect(reports.map(({ id }) => id)).toEqual(["my-report", "pairs", "my-report-2"]);
    expect(reports[1].title).toContain("small <model>");
    const page = compareHtml(result(2, 2), { pictureOf: new Map() });
    await writeFile(join(folder, "pairs.html"), page);
    const sent = await send(server.url, "/api/reports/pairs");
    expect(sent.headers["content-type"]).toMatch(/^text\/html/);
    expect(sent.body.toString()).toBe(page);
    expect((await send(server.url, "/api/reports/nosuch")).status).toBe(404);
    await rm(join(folder, "pairs.html"));
    const gone = await send(server.url, "/api/reports/pairs");
    expect(gone.status).toBe(404);
    expect(gone.body.toString()).not.toContain(folder);
  });

  it("run nothing, and only this server's pages frame them", async () => {
    const { headers } = await send(server.url, "/api/reports/my-report");
    const policy = String(headers["content-security-policy"]);
    for (const part of ["default-src 'none'", "sandbox", "frame-ancestors 'self'"])
      expect(policy).toContain(part);
    expect(policy).not.toMatch(/script-src|allow-/);
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["x-frame-options"]).toBeUndefined();
    expect((await send(server.url, "/reports/my-report")).headers["x-frame-options"]).toBe("DENY");
  });

  it("are pages that this program drew, and no others", async () => {
    const other = join(folder, "other.html");
    await writeFile(other, "<!doctype html><title>x</title><script>alert(1)</script>");
    await expect(startTestServer({ reports: [other] })).rejects.toMatchObject({ code: "INPUT_UNREADABLE" });
    await expect(startTestServer({ reports: [join(folder, "none")] })).rejects.toMatchObject({
      code: "INPUT_NOT_FOUND",
    });
  });
});
