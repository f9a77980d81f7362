import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { estimateCost } from "../../src/labeling/estimate.ts";
import { labelHeads } from "../../src/labeling/label-heads.ts";
import type { Described } from "../../src/labeling/labeller.ts";
import { createLlm, type Llm, type LlmOptions } from "../../src/labeling/llm.ts";
import { createAnswerCache } from "../../src/labeling/llm-cache.ts";
import { readExamples } from "../../src/labeling/llm-examples.ts";
import { llmJudge, llmLabeller } from "../../src/labeling/llm-labeller.ts";
import { createPace } from "../../src/labeling/llm-pace.ts";
import {
  createPrompts,
  PROMPT_STYLES,
  type PromptOptions,
  type Prompts,
} from "../../src/labeling/llm-prompts.ts";
import { headNamed } from "../../src/results/shapes.ts";
import type { ErrorCode } from "../../src/support/errors.ts";
import type { ProgressEvent } from "../../src/support/progress.ts";
import { completion, type LlmServer, type SeenQuestion, sendJson, serveLlm } from "../support/llm-server.ts";

const QUICK = { attempts: 3, pauseMs: 5, longestPauseMs: 1000 };
const KEY = "sk-very-secret-0123456789";

const headOf = (name: string, ...words: string[]): Described => ({
  ...headNamed(name),
  descriptions: words.map((text, i) => ({ text, property: null, explainedVariance: 0.1 / (i + 1) })),
});
const HEADS = Array.from({ length: 6 }, (_, i) =>
  headOf(`L2.H${i}`, `a street in town ${i}`, `a beach near ${i}`, `the ${i}th hill`, "a cat"),
);

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "clip-interpret-llm-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

interface Setting {
  readonly server: LlmServer;
  readonly folder: string;
  llm(options?: Partial<LlmOptions>): Llm;
}

async function setting(): Promise<Setting> {
  const [server, folder] = [await serveLlm(), await newFolder()];
  const llm = (options: Partial<LlmOptions> = {}) =>
    createLlm({
      url: server.url,
      model: "stand-in",
      cache: createAnswerCache(folder),
      patience: QUICK,
      ...options,
    });
  return { server, folder, llm };
}

const label = (llm: Llm, heads: readonly Described[] = HEADS, more: { [name: string]: unknown } = {}) =>
  labelHeads(heads, {
    model: "m",
    source: "test",
    labeller: llmLabeller(llm),
    judge: llmJudge([llm]),
    ...more,
  });

/** Expects a coded error whose message does not show the key. */
async function expectFailure(work: Promise<unknown>, code: ErrorCode): Promise<Error> {
  const error = await work.then(
    () => expect.fail("it succeeded"),
    (thrown: unknown) => thrown as Error,
  );
  expect(error).toMatchObject({ name: "ClipInterpretError", code });
  expect(error.message).not.toContain(KEY);
  return error;
}

describe("labels by a language model", () => {
  it("say what descriptions share and which fit, with who said so and when", async () => {
    const { server, llm } = await setting();
    const { labels, unlabelled } = await label(llm({ key: KEY }), HEADS, { concurrency: 3 });
    expect(unlabelled).toEqual([]);
    expect(Object.keys(labels.heads)).toEqual(HEADS.map(({ name }) => name));
    expect(labels.heads["L2.H3"]).toMatchObject({
      label: "Location",
      descriptions: HEADS[3].descriptions.map(({ text }) => text),
      consistent: [true, true, true, false],
      labeller: { kind: "llm", model: "stand-in", by: `stand-in at ${new URL(server.url).host}` },
      judge: { kind: "llm", votes: [] },
    });
    const { labeller, judge } = labels.heads["L2.H3"];
    expect(labeller.promptHash).toMatch(/^[0-9a-f]{64}$/);
    expect(judge?.promptHash).not.toBe(labeller.promptHash);
    expect(Math.abs(Date.parse(labeller.date ?? "") - Date.now())).toBeLessThan(60_000);
  });

  it("are asked for at temperature 0, after worked examples, with the key as a bearer token", async () => {
    const { server, llm } = await setting();
    await label(llm({ key: KEY }), HEADS.slice(0, 1));
    const [naming, judging] = server.seen;
    expect(naming.path).toBe("/v1/chat/completions");
    expect(naming.headers.authorization).toBe(`Bearer ${KEY}`);
    expect(naming.headers["user-agent"]).toBe("clip-interpret");
    expect(naming.body).toMatchObject({ model: "stand-in", temperature: 0, max_tokens: 256 });
    const schemaOf = ({ body }: typeof naming) => body.response_format?.json_schema.schema.required;
    expect([naming, judging].map(schemaOf)).toEqual([["label"], ["1", "2", "3", "4"]]);
    const roles = naming.body.messages.map(({ role }) => role);
    expect(roles[0]).toBe("system");
    expect(roles.slice(1, -1).length).toBeGreaterThanOrEqual(6);
    expect(roles.at(-1)).toBe("user");
    expect(naming.question).toBe("1. a street in town 0\n2. a beach near 0\n3. the 0th hill\n4. a cat");
    expect(judging.question).toBe(`Property: Location\n${naming.question}`);
  });

  it("are asked for once: the same question again is answered from the disk", async () => {
    const { server, folder, llm } = await setting();
    const first = await label(llm());
    expect(server.seen).toHaveLength(12);
    const again = llm();
    expect((await label(again)).labels).toEqual(first.labels);
    expect(server.seen).toHaveLength(12);
    expect(again.usage()).toEqual({ asked: 0, cached: 12, tokensIn: 0, tokensOut: 0 });
    // Another model, description, wording or setting is another question.
    const others: [Llm, Described?, Prompts?][] = [
      [llm({ model: "other" })],
      [llm(), headOf("L2.H0", "a street in town 0", "a dog")],
      [
        llm(),
        HEADS[0],
        createPrompts({ examples: [{ descriptions: ["Lisbon"], label: "Towns", fits: [true] }] }),
      ],
      [llm({ maxTokens: 300 })],
      [llm({ structured: false })],
    ];
    for (const [i, [one, head = HEADS[0], prompts]] of others.entries()) {
      await label(one, [head], { labeller: llmLabeller(one, prompts), judge: llmJudge([one], prompts) });
      expect(server.seen).toHaveLength(12 + 2 * (i + 1));
    }
    // So is the same at another server, which may have another model of that name.
    const elsewhere = await serveLlm();
    elsewhere.answer = ({ judging }) => (judging ? "1 no\n2 no\n3 no\n4 no" : "Towns");
    const moved = await label(llm({ url: elsewhere.url }), HEADS.slice(0, 1));
    expect(elsewhere.seen).toHaveLength(2);
    expect(moved.labels.heads["L2.H0"]).toMatchObject({ label: "Towns", consistent: Array(4).fill(false) });
    expect(moved.labels.heads["L2.H0"].labeller.by).toBe(`stand-in at ${new URL(elsewhere.url).host}`);
    // A damaged answer is asked for again.
    for (const name of await readdir(folder, { recursive: true })) {
      if (name.endsWith(".json")) await writeFile(join(folder, name), "{");
    }
    const before = server.seen.length;
    await label(llm(), HEADS.slice(0, 1));
    expect(server.seen).toHaveLength(before + 2);
  });

  it("never leave the key on the disk", async () => {
    const { folder, llm } = await setting();
    await label(llm({ key: KEY }), HEADS.slice(0, 2));
    const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".json"));
    expect(files).toHaveLength(4);
    for (const name of files) expect(await readFile(join(folder, name), "utf8")).not.toContain(KEY);
  });

  it("go by the majority of several judges, whose votes are kept; half is not enough", async () => {
    const { server, llm } = await setting();
    const verdicts: Record<string, string> = {
      a: "1 yes\n2 yes\n3 no",
      b: "1 yes\n2 no\n3 no",
      c: "1 yes\n2 yes\n3 yes",
    };
    server.answer = ({ body, judging }) => (judging ? verdicts[body.model] : "Place");
    const judges = (names: string) => llmJudge([...names].map((model) => llm({ model })));
    const head = headOf("L0.H0", "x", "y", "z");
    const three = await judges("abc")("Place", head, {});
    expect(three.consistent).toEqual([true, true, false]);
    expect(three.judge.votes.map(({ consistent }) => consistent)).toEqual([
      [true, true, false],
      [true, false, false],
      [true, true, true],
    ]);
    expect(three.judge.votes[1].by).toBe(`b at ${new URL(server.url).host}`);
    expect((await judges("ab")("Place", head, {})).consistent).toEqual([true, false, false]);
  });

  it("ask several heads at once when told to, and no more", async () => {
    const { server, llm } = await setting();
    server.interfere = async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return false;
    };
    await label(llm(), HEADS, { concurrency: 3 });
    expect(server.crowd()).toBe(3);
  });

  it("keep to so many requests a minute", async () => {
    const { server, llm } = await setting();
    const times: number[] = [];
    server.interfere = () => {
      times.push(performance.now());
      return false;
    };
    await label(llm({ pace: createPace(1200) }), HEADS.slice(0, 3), { concurrency: 3 });
    expect(times).toHaveLength(6);
    // Six requests, 50 ms apart, of which the first may be slow to arrive.
    expect(times[5] - times[0]).toBeGreaterThan((5 * 50) / 2);
  });
});

describe("a server in trouble", () => {
  it("that asks to wait is waited for, by all who share it, and then answers", async () => {
    const { server, llm } = await setting();
    const refusedAt: number[] = [];
    const laterAt: number[] = [];
    server.interfere = (_, response) => {
      if (refusedAt.length > 0) {
        laterAt.push(performance.now());
        return false;
      }
      refusedAt.push(performance.now());
      return sendJson(response, { error: { message: "slow down" } }, 429, { "retry-after": "0.3" });
    };
    const events: ProgressEvent[] = [];
    const { labels } = await label(llm(), HEADS, { report: (event: ProgressEvent) => events.push(event) });
    expect(Object.keys(labels.heads)).toHaveLength(6);
    expect(laterAt[0] - refusedAt[0]).toBeGreaterThan(280);
    const [warning] = events.filter(({ type }) => type === "warning");
    expect(warning).toMatchObject({ code: "LLM_RATE_LIMITED" });
    expect(warning).toHaveProperty("message", expect.stringContaining("slow down; trying again in 0.3 s"));
  });

  it("that takes a moment to recover is asked again", async () => {
    const { server, llm } = await setting();
    let tries = 0;
    server.interfere = (_, response) => {
      tries++;
      if (tries === 1) return sendJson(response, { error: "loading model" }, 503);
      if (tries === 2) {
        response.socket?.destroy();
        return true;
      }
      return false;
    };
    await label(llm(), HEADS.slice(0, 1));
    expect(tries).toBe(4);
  });

  it.each<[string, ErrorCode, string, (seen: unknown, response: import("node:http").ServerResponse) => true]>(
    [
      [
        "a key it does not accept",
        "LLM_UNAUTHORIZED",
        "Incorrect API key provided: [key]",
        (_, response) =>
          sendJson(
            response,
            { error: { message: `Incorrect API key provided: ${KEY}`, type: "invalid_request_error" } },
            401,
          ),
      ],
      [
        "a key that may not do this",
        "LLM_UNAUTHORIZED",
        "not allowed",
        (_, response) => sendJson(response, { message: "not allowed" }, 403),
      ],
      [
        "a model it does not have",
        "LLM_MODEL_UNKNOWN",
        `model "stand-in" not found`,
        (_, response) => sendJson(response, { error: { message: `model "stand-in" not found` } }, 404),
      ],
      [
        "a request it does not take",
        "LLM_REJECTED",
        "messages are too long",
        (_, response) => sendJson(response, { error: { message: "messages are too long" } }, 400),
      ],
      [
        "a redirect",
        "LLM_REJECTED",
        "redirects to http://elsewhere.test/",
        (_, response) => sendJson(response, {}, 307, { location: "http://elsewhere.test/" }),
      ],
      [
        "nothing left to spend",
        "LLM_RATE_LIMITED",
        "quota",
        (_, response) =>
          sendJson(response, { error: { message: "over your quota", code: "insufficient_quota" } }, 429),
      ],
    ],
  )("%s ends the work at once", async (_what, code, words, interfere) => {
    const { server, llm } = await setting();
    server.interfere = interfere;
    const error = await expectFailure(label(llm({ key: KEY })), code);
    expect(error.message).toContain(words);
    expect(server.seen).toHaveLength(1);
  });

  it.each<[string, ErrorCode, (response: import("node:http").ServerResponse) => true]>([
    ["too many requests, again and again", "LLM_RATE_LIMITED", (response) => sendJson(response, {}, 429)],
    [
      "an answer that is no JSON",
      "LLM_ANSWER_INVALID",
      (response) => {
        response.writeHead(200, { "content-type": "application/json" }).end("<html>");
        return true;
      },
    ],
    ["JSON that is no chat completion", "LLM_ANSWER_INVALID", (response) => sendJson(response, { hello: 1 })],
    [
      "no choices",
      "LLM_ANSWER_INVALID",
      (response) => sendJson(response, { ...completion("x"), choices: [] }),
    ],
    ["an empty answer", "LLM_ANSWER_INVALID", (response) => sendJson(response, completion(" \n"))],
    ["no content", "LLM_ANSWER_INVALID", (response) => sendJson(response, completion(null))],
    [
      "a server error",
      "LLM_UNREACHABLE",
      (response) => sendJson(response, { error: { message: "boom" } }, 500),
    ],
    [
      "a connection that breaks",
      "LLM_UNREACHABLE",
      (response) => {
        response.socket?.destroy();
        return true;
      },
    ],
    [
      "an answer that breaks off",
      "LLM_UNREACHABLE",
      (response) => {
        response.writeHead(200, { "content-type": "application/json", "content-length": "1000" }).write("{");
        setTimeout(() => response.socket?.destroy(), 20);
        return true;
      },
    ],
    ["no answer in time", "LLM_TIMEOUT", () => true],
  ])("%s is an error after as many tries as allowed", async (_what, code, interfere) => {
    const { server, llm } = await setting();
    server.interfere = (_, response) => interfere(response);
    await expectFailure(label(llm({ timeoutMs: 150 }), HEADS.slice(0, 1)), code);
    expect(server.seen).toHaveLength(3);
  });

  it("that asks for a longer wait than anyone has is an error at once", async () => {
    const { server, llm } = await setting();
    server.interfere = (_, response) => sendJson(response, {}, 429, { "retry-after": "3600" });
    await expectFailure(label(llm()), "LLM_RATE_LIMITED");
    expect(server.seen).toHaveLength(1);
  });

  it("that is not there is an error that names it", async () => {
    const { server, llm } = await setting();
    server.stop();
    const error = await expectFailure(label(llm()), "LLM_UNREACHABLE");
    expect(error.message).toContain(server.url);
    expect(error.message).toContain("ECONNREFUSED");
  });
});

describe("an answer that cannot be used", () => {
  it.each<[string, ErrorCode, object]>([
    ["a refusal in its own field", "LLM_REFUSED", completion(null, "stop", { refusal: "I will not." })],
    ["a refusal by the server's filter", "LLM_REFUSED", completion("", "content_filter")],
    ["a refusal in words", "LLM_REFUSED", completion("I’m sorry, but I can’t help with that.")],
    [
      "a sermon",
      "LLM_ANSWER_INVALID",
      completion("These descriptions all seem to refer to places of some kind."),
    ],
    ["several lines", "LLM_ANSWER_INVALID", completion("Location\nbecause of the towns")],
    ["an answer cut off", "LLM_ANSWER_INVALID", completion("Well, let me think", "length")],
    ["a sentence of five words", "LLM_ANSWER_INVALID", completion("All of them are places")],
    ["no letters", "LLM_ANSWER_INVALID", completion("???")],
  ])("%s fails its head, once asked, and lets the others get their labels", async (_what, code, reply) => {
    const { server, llm } = await setting();
    const bad = ({ question, judging }: { question: string; judging: boolean }) =>
      !judging && question.includes("town 1");
    server.interfere = (seen, response) => bad(seen) && sendJson(response, reply);
    const error = await expectFailure(label(llm()), code);
    expect(error.message).toContain("L2.H1");
    expect(server.seen).toHaveLength(11);
    // What was answered is kept: only the one is asked for again.
    server.interfere = () => false;
    expect(Object.keys((await label(llm())).labels.heads)).toHaveLength(6);
    expect(server.seen).toHaveLength(13);
  });

  it.each([
    ["a verdict missing", "1 yes\n2 no\n3 yes"],
    ["a verdict too many", "1 yes\n2 no\n3 yes\n4 no\n5 no"],
    ["a verdict twice", "1 yes\n1 no\n3 yes\n4 no"],
    ["prose", "All but the last fit."],
    ["neither yes nor no", "1 yes\n2 maybe\n3 yes\n4 no"],
  ])("%s is no verdict", async (_what, verdicts) => {
    const { server, llm } = await setting();
    server.answer = ({ judging }) => (judging ? verdicts : "Location");
    await expectFailure(label(llm(), HEADS.slice(0, 1)), "LLM_ANSWER_INVALID");
  });
});

describe("labelling that keeps going", () => {
  const keepGoing = { keepGoing: true };
  const about = (words: string) => (seen: SeenQuestion) => seen.question.includes(words);

  it("names the heads that failed, keeps the others' labels, and asks for what is missing the next time", async () => {
    const { server, llm } = await setting();
    server.interfere = (seen, response) => {
      if (!seen.judging && about("town 1")(seen)) return sendJson(response, completion("I cannot do that."));
      if (seen.judging && about("town 4")(seen)) return sendJson(response, completion("All but the last."));
      return false;
    };
    const events: ProgressEvent[] = [];
    const report = (event: ProgressEvent) => events.push(event);
    const { labels, failed, unlabelled } = await label(llm(), HEADS, { ...keepGoing, report });
    expect(Object.keys(labels.heads)).toEqual(["L2.H0", "L2.H2", "L2.H3", "L2.H4", "L2.H5"]);
    expect(labels.heads["L2.H4"]).toMatchObject({ label: "Location", consistent: [], judge: null });
    expect(failed).toMatchObject([
      { layer: 2, head: 1, name: "L2.H1", step: "label", code: "LLM_REFUSED" },
      { layer: 2, head: 4, name: "L2.H4", step: "judge", code: "LLM_ANSWER_INVALID" },
    ]);
    expect(unlabelled).toEqual([]);
    expect(events.filter(({ type }) => type === "warning")).toMatchObject([
      { code: "LLM_INCOMPLETE", message: expect.stringMatching(/L2\.H1, L2\.H4 \(verdicts\)/) },
    ]);
    server.interfere = () => false;
    const before = server.seen.length;
    const whole = await label(llm(), HEADS, keepGoing);
    expect(whole.failed).toEqual([]);
    expect(Object.keys(whole.labels.heads)).toHaveLength(6);
    expect(server.seen.slice(before).map(({ judging }) => judging)).toEqual([false, true, true]);
  });

  it("spares the others a request that the server rejects or a filter holds back, but not a server that is gone", async () => {
    const { server, llm } = await setting();
    server.interfere = (seen, response) => {
      if (about("town 1")(seen)) return sendJson(response, { error: { message: "too long" } }, 400);
      if (about("town 2")(seen))
        return sendJson(response, { error: { code: "content_filter", message: "no" } }, 400);
      return false;
    };
    const { failed, labels } = await label(llm(), HEADS, keepGoing);
    expect(failed.map(({ code }) => code)).toEqual(["LLM_REJECTED", "LLM_REFUSED"]);
    expect(Object.keys(labels.heads)).toHaveLength(4);
    const before = server.seen.length;
    server.interfere = (_, response) => sendJson(response, { error: { message: "I take nothing" } }, 400);
    await expectFailure(label(llm({ model: "other" }), HEADS, keepGoing), "LLM_REJECTED");
    expect(server.seen.length - before).toBe(3);
    server.interfere = (_, response) => sendJson(response, {}, 401);
    await expectFailure(label(llm({ model: "other" }), HEADS, keepGoing), "LLM_UNAUTHORIZED");
  });

  it("leaves a head without a label where the model finds nothing in common", async () => {
    const { server, llm } = await setting();
    server.answer = (seen) =>
      seen.judging ? "1 yes\n2 yes\n3 yes\n4 no" : about("town 2")(seen) ? "No common property" : "Location";
    const { labels, failed, unlabelled } = await label(llm());
    expect(Object.keys(labels.heads)).toHaveLength(5);
    expect([failed, unlabelled.map(({ name }) => name)]).toEqual([[], ["L2.H2"]]);
    // It is an answer: nobody is asked again.
    await label(llm());
    expect(server.seen).toHaveLength(11);
  });
});

describe("how a model is asked", () => {
  const EXAMPLE = { descriptions: ["Lisbon", "Hanoi", "a cat"], label: "Towns", fits: [true, true, false] };
  const askIn = async (options: PromptOptions) => {
    const { server, llm } = await setting();
    const [prompts, one] = [createPrompts(options), llm()];
    server.answer = ({ body, judging }) => {
      const count = body.response_format?.json_schema.schema.required.length ?? 0;
      return judging ? "1\n".repeat(count) : "Location";
    };
    const { labels } = await label(one, HEADS.slice(0, 1), {
      ...{ labeller: llmLabeller(one, prompts), judge: llmJudge([one], prompts) },
    });
    return { server, head: labels.heads["L2.H0"], prompts };
  };

  it.each([
    ["ours", 1],
    ["madasu2024", 1],
    ["ccs2025", 4],
  ] as const)(
    "in the way of %s takes %d questions to a judge, and has a hash of its own",
    async (style, times) => {
      const { server, head, prompts } = await askIn({ style });
      expect(head).toMatchObject({ label: "Location", consistent: [true, true, true, true] });
      expect(server.seen).toHaveLength(1 + times);
      const hashes = PROMPT_STYLES.map((other) => createPrompts({ style: other }));
      expect(hashes.filter(({ judgeHash }) => judgeHash === prompts.judgeHash).length).toBe(
        style === "ccs2025" ? 1 : 2,
      );
      expect(hashes.map(({ nameHash }) => nameHash === prompts.nameHash).filter(Boolean).length).toBe(
        style === "ours" ? 1 : 2,
      );
      expect([head.labeller.promptHash, head.judge?.promptHash]).toEqual([
        prompts.nameHash,
        prompts.judgeHash,
      ]);
      // Five labelled examples, then the head.
      const turns = server.seen[0].body.messages.filter(({ role }) => role !== "system");
      expect(turns).toHaveLength(5 * 2 + 1);
    },
  );

  it("shows a judge one description at a time when told to", async () => {
    const { server, head } = await askIn({ oneByOne: true });
    expect(server.seen.slice(1).map(({ question }) => question)).toEqual(
      HEADS[0].descriptions.map(({ text }) => `Property: Location\n1. ${text}`),
    );
    expect(head.consistent).toHaveLength(4);
  });

  it("shows one's own examples, from a file, instead of ours", async () => {
    const path = join(await newFolder(), "examples.json");
    await writeFile(path, JSON.stringify([EXAMPLE, { descriptions: ["x", "y"], label: null }]));
    const { server } = await askIn({ examples: await readExamples(path) });
    const [naming, judging] = server.seen.map(({ body }) => body.messages.map(({ content }) => content));
    expect(naming.slice(1, -1)).toEqual(["1. Lisbon\n2. Hanoi\n3. a cat", "Towns", "1. x\n2. y", "none"]);
    expect(judging.slice(1, -1)).toEqual([
      "Property: Towns\n1. Lisbon\n2. Hanoi\n3. a cat",
      "1 yes\n2 yes\n3 no",
    ]);
  });

  it.each([
    ["no list", {}],
    ["an empty list", []],
    ["verdicts for other descriptions", [{ ...EXAMPLE, fits: [true] }]],
    ["a blank label", [{ ...EXAMPLE, label: " " }]],
    ["more than anyone reads", Array(51).fill(EXAMPLE)],
  ])("refuses examples that are %s", async (_, examples) => {
    const path = join(await newFolder(), "examples.json");
    await writeFile(path, JSON.stringify(examples));
    await expectFailure(readExamples(path), "JSON_INVALID");
  });
});

describe("a server that takes less", () => {
  /** What of a request is there beside the question. */
  const sent = ({ body }: SeenQuestion) =>
    ["temperature", "max_tokens", "max_completion_tokens", "response_format"].filter((name) => name in body);
  const refuseBody = (server: LlmServer, refuse: (body: SeenQuestion["body"]) => string | undefined) => {
    server.interfere = ({ body }, response) => {
      const message = refuse(body);
      return message !== undefined && sendJson(response, { error: { message } }, 400);
    };
  };

  it("is asked without what it refuses, and learns once: a model that reasons", async () => {
    const { server, llm } = await setting();
    refuseBody(server, (body) =>
      body.max_tokens !== undefined
        ? "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        : body.temperature !== undefined
          ? "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) is supported."
          : undefined,
    );
    const one = llm();
    const { labels } = await label(one);
    expect(server.seen).toHaveLength(12 + 2);
    expect(sent(server.seen[13])).toEqual(["max_completion_tokens", "response_format"]);
    const { labeller, judge } = labels.heads["L2.H0"];
    expect([labeller.by, judge?.by]).toEqual(
      Array(2).fill(`stand-in at ${new URL(server.url).host} (at its own temperature)`),
    );
    // From the disk it says the same.
    expect((await label(llm())).labels).toEqual(labels);
    expect(server.seen).toHaveLength(14);
  });

  it("is asked for plain words where it has no structured output", async () => {
    const { server, llm } = await setting();
    refuseBody(server, (body) =>
      body.response_format ? "'response_format.type' must be 'text'" : undefined,
    );
    expect(Object.keys((await label(llm(), HEADS, { concurrency: 3 })).labels.heads)).toHaveLength(6);
    expect(server.seen.length).toBeLessThanOrEqual(12 + 3);
    expect(sent(server.seen.at(-1)!)).toEqual(["temperature", "max_tokens"]);
  });

  it("may refuse all that can be left out, and then the rest for good", async () => {
    const { server, llm } = await setting();
    refuseBody(server, (body) => {
      const [first] = sent({ body } as SeenQuestion);
      return first ?? "I take nothing";
    });
    const error = await expectFailure(label(llm(), HEADS.slice(0, 1)), "LLM_REJECTED");
    expect(error.message).toContain("I take nothing");
    expect(server.seen.map(sent).at(-1)).toEqual([]);
    expect(server.seen.length).toBeLessThanOrEqual(6);
  });

  it("answers in JSON where it has structured output", async () => {
    const { server, llm } = await setting();
    server.answer = ({ judging }) =>
      judging ? '{"1": true, "2": true, "3": false, "4": false}' : '{"label": "Location"}';
    const { labels } = await label(llm(), HEADS.slice(0, 1));
    expect(labels.heads["L2.H0"]).toMatchObject({
      label: "Location",
      consistent: [true, true, false, false],
    });
  });

  it.each([
    ["in its answer", completion("<think>Towns, beaches, hills", "length")],
    ["apart from its answer", completion("", "length", { reasoning_content: "Towns, beaches, hills" })],
  ])("is given as many tokens as it wants when it thinks to the limit, %s", async (_, reply) => {
    const { server, llm } = await setting();
    server.interfere = ({ body }, response) => body.max_tokens !== undefined && sendJson(response, reply);
    server.answer = ({ judging }) =>
      `<think>Towns, beaches, hills</think>\n\n${judging ? "1 yes\n2 yes\n3 yes\n4 no" : "Location"}`;
    const { labels } = await label(llm(), HEADS.slice(0, 2));
    expect(labels.heads["L2.H1"]).toMatchObject({ label: "Location", consistent: [true, true, true, false] });
    expect(server.seen).toHaveLength(4 + 1);
  });

  it("is told of no limit where none is wanted", async () => {
    const { server, llm } = await setting();
    await label(llm({ maxTokens: 0 }), HEADS.slice(0, 1));
    expect(sent(server.seen[0])).toEqual(["temperature", "response_format"]);
  });
});

describe("work that stops", () => {
  it("keeps what was answered when the server fails, and asks only for the rest when it is back", async () => {
    const { server, llm } = await setting();
    let answered = 0;
    server.interfere = (_, response) => {
      if (++answered <= 5) return false;
      response.socket?.destroy();
      return true;
    };
    await expectFailure(label(llm()), "LLM_UNREACHABLE");
    server.interfere = () => false;
    const before = server.seen.length;
    const { labels } = await label(llm());
    expect(Object.keys(labels.heads)).toHaveLength(6);
    expect(server.seen).toHaveLength(before + 12 - 5);
  });

  it("keeps what was answered when it is cancelled, and stops at once", async () => {
    const { server, llm } = await setting();
    const controller = new AbortController();
    server.interfere = () => {
      if (server.seen.length < 5) return false;
      controller.abort();
      return true;
    };
    const started = performance.now();
    const error = await expectFailure(label(llm(), HEADS, { signal: controller.signal }), "CANCELLED");
    expect(performance.now() - started).toBeLessThan(30_000);
    expect(error).toHaveProperty("hint", expect.stringContaining("What was answered is kept"));
    server.interfere = () => false;
    await label(llm());
    expect(server.seen).toHaveLength(5 + (12 - 4));
  });

  it("lets requests on their way come back when another one fails for good", async () => {
    const { server, llm } = await setting();
    server.interfere = async ({ question, judging }, response) => {
      if (question.includes("town 1")) return sendJson(response, {}, 401);
      // The other head's answer comes after the failure.
      if (!judging) await new Promise((resolve) => setTimeout(resolve, 100));
      return false;
    };
    await expectFailure(label(llm(), HEADS.slice(0, 2), { concurrency: 2 }), "LLM_UNAUTHORIZED");
    server.interfere = () => false;
    const before = server.seen.length;
    await label(llm(), HEADS.slice(0, 1));
    expect(server.seen.slice(before).filter(({ judging }) => !judging)).toEqual([]);
  });
});

describe("an estimate", () => {
  it("counts what the cache does not answer, before anything is sent", async () => {
    const { server, llm } = await setting();
    const one = llm();
    const plan = { labeller: one, judges: [one, llm({ model: "other" })], known: {} };
    const all = await estimateCost(HEADS, plan, { in: 2, out: 10 });
    expect(server.seen).toEqual([]);
    expect(all).toMatchObject({ requests: 18, cached: 0 });
    expect(all.cost).toBeCloseTo((2 * all.tokensIn + 10 * all.tokensOut) / 1e6, 12);
    await label(one, HEADS.slice(0, 2));
    // Two heads have label and first verdict.
    expect(await estimateCost(HEADS, plan)).toMatchObject({ requests: 14, cached: 4, cost: null });
    // Labels by hand need no naming.
    const known = Object.fromEntries(HEADS.map(({ name }) => [name, "Location"]));
    expect(await estimateCost(HEADS, { labeller: one, judges: [], known })).toMatchObject({ requests: 0 });
  });

  it("counts as many requests as are then sent, with tokens near a plain count of words", async () => {
    const { server, llm } = await setting();
    const one = llm();
    const { requests, tokensIn } = await estimateCost(HEADS, { labeller: one, judges: [one], known: {} });
    await label(one);
    expect(server.seen).toHaveLength(requests);
    const words = server.seen
      .flatMap(({ body }) => body.messages)
      .reduce((sum, { content }) => sum + content.split(/[\s.:,;]+/).length, 0);
    expect(tokensIn / words).toBeGreaterThan(0.9);
    expect(tokensIn / words).toBeLessThan(2);
    expect(one.usage()).toMatchObject({ asked: 12, tokensIn: 1200, tokensOut: 84 });
  });
});

describe("the SDK underneath", () => {
  it("writes nothing to the console and traces nothing", async () => {
    const { server, llm } = await setting();
    const spies = (["log", "info", "warn", "error", "debug"] as const).map((name) =>
      vi.spyOn(console, name).mockImplementation(() => {}),
    );
    onTestFinished(() => void vi.restoreAllMocks());
    await label(llm(), HEADS.slice(0, 1));
    server.interfere = (_, response) => sendJson(response, {}, 500);
    await expectFailure(label(llm({ model: "other" })), "LLM_UNREACHABLE");
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
    expect(globalThis.AI_SDK_LOG_WARNINGS).toBe(false);
  });

  it.each([
    "",
    "ftp://localhost/v1",
    "localhost:11434",
    "http://me:secret@localhost/v1",
    "http://localhost/v1?key=secret",
  ])("is not given %j as an address, which is not repeated either", async (url) => {
    const cache = createAnswerCache(await newFolder());
    const make = async () => createLlm({ url, model: "m", cache });
    const error = await expectFailure(make(), "USAGE");
    expect(error.message).not.toContain("secret");
  });
});
