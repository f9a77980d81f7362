import { afterAll, beforeAll, expect, it } from "vitest";
import type { Answered } from "../../src/server/operations.ts";
import { send, startTestServer, type TestServer } from "../support/app-server.ts";

const TOKEN = "a-token-of-its-own";
const answered: Answered[] = [];
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ token: TOKEN, onRequest: (one) => void answered.push(one) });
});
afterAll(() => server.close());

it("says without a token that it lives and is ready, and nothing else", async () => {
  for (const [path, says] of [
    ["/healthz", "ok\n"],
    ["/readyz", "ready\n"],
  ]) {
    const { status, body } = await send(server.url, path, { headers: { host: "10.0.0.7:7860" } });
    expect([status, String(body)]).toEqual([200, says]);
  }
  expect((await send(server.url, "/metrics")).status).toBe(401);
});

it("tells its figures to who has the token, and an id of each request in answer and log", async () => {
  const headers = { authorization: `Bearer ${TOKEN}`, "x-request-id": "mine-1" };
  const models = await send(server.url, "/api/models", { headers });
  expect(models.headers["x-request-id"]).toBe("mine-1");
  const { body, headers: sent } = await send(server.url, "/metrics", { headers });
  expect(sent["content-type"]).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(String(body)).toMatch(/^clip_interpret_requests_total\{method="GET",status="401"\} 1$/m);
  expect(String(body)).toMatch(/^clip_interpret_request_seconds_count 1$/m);
  expect(String(body)).toMatch(/^clip_interpret_jobs 0$/m);
  expect(answered.find(({ path }) => path === "/api/models")).toMatchObject({
    request: "mine-1",
    method: "GET",
    status: 200,
  });
  // What a request brings as its id does not end up in a log as it is.
  const other = await send(server.url, "/healthz", { headers: { "x-request-id": "a b{" } });
  expect(other.headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
});
