import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import type { Puller } from "../../src/hub/pull.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { type JobView, jobSchema, jobsSchema } from "../../src/results/app.ts";
import { createJobs } from "../../src/server/jobs.ts";
import { LIMITS } from "../../src/server/limits.ts";
import { ClipInterpretError } from "../../src/support/errors.ts";
import { codeOf, post, send, startTestServer, type TestServer } from "../support/app-server.ts";

const model = DEFAULT_MODEL;
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ puller: slowPuller() }, 400);
});
afterAll(() => server.close());

/** A download that reports and can be stopped, without a network: what the real one does is tested beside the hub. */
function slowPuller(): Puller {
  return {
    async pull(name, { report, signal } = {}) {
      report?.({ type: "start", task: "fetching", unit: "byte", total: 605e6 });
      for (let done = 0; done <= 605e6; done += 5e6) {
        if (signal?.aborted) throw new ClipInterpretError("CANCELLED", "stopped");
        report?.({ type: "advance", task: "fetching", done });
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      throw new ClipInterpretError("HUB_UNREACHABLE", `no answer about ${name} from /home/someone/cache/x`);
    },
  };
}

/** Listens to server-sent events as an EventSource does. */
async function listen(
  base: string,
): Promise<{ jobs: JobView[]; until(done: (job: JobView) => boolean): Promise<JobView>; stop(): void }> {
  const call: ClientRequest = request(`${base}/api/jobs/events`, { agent: false }).end();
  const [response] = (await once(call, "response")) as [IncomingMessage];
  expect(response.headers["content-type"]).toContain("text/event-stream");
  const jobs: JobView[] = [];
  let text = "";
  response.on("data", (chunk: Buffer) => {
    text += chunk;
    const events = text.split("\n\n");
    text = events.pop()!;
    for (const event of events) {
      const data = /^data: (\{.*\})$/m.exec(event)?.[1];
      if (data) jobs.push(jobSchema.parse(JSON.parse(data)));
    }
  });
  return {
    jobs,
    async until(done) {
      for (;;) {
        const found = jobs.find(done);
        if (found) return found;
        await once(response, "data");
      }
    },
    stop: () => call.destroy(),
  };
}

const prepare = () => post(server.url, "/api/jobs", { kind: "prepare", corpus: "demo", model });

describe("jobs", () => {
  it("report progress to everyone who listens, survive who leaves, are cancelled by hand, and can be started again", async () => {
    const first = await listen(server.url);
    const { id } = (await prepare()).json<JobView>();
    const drawing = await first.until((job) => job.id === id && job.done >= 16);
    expect(drawing).toMatchObject({
      state: "running",
      task: "drawing scenes",
      total: 400,
      subject: "demo",
      model,
    });
    first.stop();
    // A reload: the list and a new listener both know the job at once.
    const { jobs } = jobsSchema.parse((await send(server.url, "/api/jobs")).json());
    expect(jobs[0]).toMatchObject({ id, state: "running" });
    const again = await listen(server.url);
    onTestFinished(() => again.stop());
    expect((await again.until((job) => job.id === id)).done).toBeGreaterThanOrEqual(16);
    const stopped = await send(server.url, `/api/jobs/${id}`, { method: "DELETE" });
    expect(stopped.status).toBe(200);
    await again.until((job) => job.id === id && job.state === "cancelled");
    const where = `/api/insights?model=${model}&corpus=demo`;
    expect(codeOf(await send(server.url, where))).toBe("CORPUS_NOT_READY");
    const next = (await prepare()).json<JobView>();
    expect(next.id).not.toBe(id);
    await again.until((job) => job.id === next.id && job.state === "running");
    await send(server.url, `/api/jobs/${next.id}`, { method: "DELETE" });
    await again.until((job) => job.id === next.id && job.state === "cancelled");
  }, 240_000);

  it("run a download beside, and say why one failed without telling folders", async () => {
    const listener = await listen(server.url);
    onTestFinished(() => listener.stop());
    const { id } = (
      await post(server.url, "/api/jobs", { kind: "pull", model: "ViT-B-32/openai" })
    ).json<JobView>();
    const under = await listener.until((job) => job.id === id && job.done > 0);
    expect(under).toMatchObject({ state: "running", unit: "byte", total: 605e6 });
    const failed = await listener.until((job) => job.id === id && job.state === "failed");
    expect(failed.error).toMatchObject({ code: "HUB_UNREACHABLE" });
    expect(failed.error?.message).not.toContain("/home");
  });

  it("wait for each other when they compute, and one that waits can be cancelled before it starts", async () => {
    const jobs = createJobs(LIMITS);
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let ran = false;
    const about = (subject: string) => ({ kind: "prepare", title: subject, subject, model }) as const;
    const first = jobs.start(about("a"), "one", () => held);
    const second = jobs.start(about("b"), "one", async () => {
      ran = true;
    });
    expect(jobs.start(about("b"), "another", () => held).id).toBe(second.id);
    jobs.cancel(second.id);
    await new Promise((resolve) => setTimeout(resolve, 5));
    release();
    await jobs.close();
    expect(jobs.find(first.id)?.state).toBe("done");
    expect(jobs.find(second.id)?.state).toBe("cancelled");
    expect(ran).toBe(false);
  });

  it("are bounded, in all and of one client, and whoever is refused is told when to come again", async () => {
    const few = await startTestServer({
      ...{ puller: slowPuller(), cache: server.cache },
      limits: { jobs: 3, jobsPerClient: 2 },
    });
    onTestFinished(() => few.close());
    const pull = (name: string, client: string) =>
      post(few.url, "/api/jobs", { kind: "pull", model: name }, { "x-client": client });
    const [first, second, third, fourth] = ["one/a", "one/b", "one/c", "one/d"];
    expect((await pull(first, "a")).status).toBe(200);
    expect((await pull(second, "a")).status).toBe(200);
    const refused = await pull(third, "a");
    expect([refused.status, codeOf(refused)]).toEqual([503, "SERVER_BUSY"]);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    // Joining one that is there takes no place.
    expect((await pull(second, "a")).status).toBe(200);
    expect((await pull(third, "b")).status).toBe(200);
    expect(codeOf(await pull(fourth, "c"))).toBe("SERVER_BUSY");
    const { jobs } = jobsSchema.parse((await send(few.url, "/api/jobs")).json());
    expect(jobs).toHaveLength(3);
    // One that is stopped before its turn makes room at once.
    const stopped = jobs.find(({ subject }) => subject === third)!;
    await send(few.url, `/api/jobs/${stopped.id}`, { method: "DELETE" });
    expect((await pull(fourth, "c")).status).toBe(200);
  });

  it("say how long they will take, at the pace that they have", async () => {
    const jobs = createJobs(LIMITS);
    vi.useFakeTimers({ toFake: ["performance"] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const left: (number | null)[] = [];
    const about = { kind: "prepare", title: "a", subject: "a", model } as const;
    const job = jobs.start(about, "one", async ({ report }) => {
      const advance = (done: number) => {
        report({ type: "advance", task: "indexing", done, total: 100 });
        left.push(jobs.find(job.id)!.secondsLeft);
        vi.advanceTimersByTime(1000);
      };
      report({ type: "start", task: "indexing", unit: "image", total: 100 });
      // What was done before comes at once, and says nothing of the pace.
      for (const done of [40, 41, 42, 43, 44, 45]) advance(done);
      report({ type: "end", task: "indexing", done: 100 });
      left.push(jobs.find(job.id)!.secondsLeft);
    });
    await new Promise(setImmediate);
    await jobs.close();
    expect(left).toEqual([null, null, 58, 57, 56, 55, null]);
  });
});

describe("a server that stops", () => {
  it("ends jobs where they can go on, answers what it was asked, and cuts nothing off", async () => {
    const stopping = await startTestServer({}, 400);
    const listener = await listen(stopping.url);
    const job = (
      await post(stopping.url, "/api/jobs", { kind: "prepare", corpus: "demo", model })
    ).json<JobView>();
    await listener.until(({ id, state, done }) => id === job.id && state === "running" && done > 4);
    const asked = post(stopping.url, "/api/neighbors", {
      ...{ model, corpus: "scenes", query: { text: "a" }, heads: "all" },
    });
    // It has arrived once a later one is answered.
    expect((await send(stopping.url, "/api/app")).status).toBe(200);
    const cut = await stopping.stop();
    expect(cut).toEqual({ requests: 0, jobs: 0 });
    expect(codeOf(await asked)).toBe("CORPUS_NOT_READY");
    expect(await listener.until(({ id, state }) => id === job.id && state !== "running")).toMatchObject({
      state: "cancelled",
    });
    await expect(send(stopping.url, "/api/app")).rejects.toThrow();
    await stopping.close();
  });
});
