import { MessageChannel } from "node:worker_threads";
import { expect, it } from "vitest";
import { describeThreads } from "../../test/support/thread-contract.ts";
import { QUESTIONS, type ThreadCalls } from "../../test/support/thread-questions.ts";
import { callThread } from "./node-port.ts";
import { startThread } from "./thread.ts";

const start = () =>
  startThread(new URL("../../test/support/x.ts", import.meta.url).href, "contract-thread", null);

describeThreads("Node", async (question) => {
  const thread = start();
  try {
    return await QUESTIONS[question](callThread<ThreadCalls>(thread));
  } finally {
    await thread.terminate();
  }
});

it("a thread is gone when its caller says that it has ended", async () => {
  const thread = start();
  await callThread<ThreadCalls>(thread).close();
  expect(thread.threadId).toBe(-1);
});

it("a port that is closed fails what was asked through it", async () => {
  const { port1, port2 } = new MessageChannel();
  const { call } = callThread<ThreadCalls>(port1);
  const asked = call("count", { to: 1 });
  port2.close();
  await expect(asked).rejects.toMatchObject({
    code: "THREAD_ENDED",
    message: expect.stringContaining("port was closed"),
  });
});
