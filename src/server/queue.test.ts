import { describe, expect, it } from "vitest";
import { LIMITS } from "./limits.ts";
import { createFairQueue } from "./queue.ts";

const never = new AbortController().signal;
const tick = () => new Promise((resolve) => setTimeout(resolve, 1));

describe("the queue", () => {
  it("takes turns: one who asks for much delays another by one piece of work", async () => {
    const queue = createFairQueue(LIMITS);
    const order: string[] = [];
    const ask = (client: string, name: string) =>
      queue.run(client, never, async () => {
        await tick();
        order.push(name);
      });
    const greedy = Array.from({ length: 5 }, (_, i) => ask("greedy", `g${i}`));
    await Promise.all([...greedy, ask("modest", "m0"), ask("modest", "m1")]);
    expect(order).toEqual(["g0", "g1", "m0", "g2", "m1", "g3", "g4"]);
  });

  it("never runs two at once, and goes on after a failure", async () => {
    const queue = createFairQueue(LIMITS);
    let running = 0;
    const work = async () => {
      expect(++running).toBe(1);
      await tick();
      running--;
      throw new Error("failed");
    };
    const results = await Promise.allSettled(["a", "b", "c"].map((client) => queue.run(client, never, work)));
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(await queue.run("a", never, async () => 7)).toBe(7);
  });

  it("drops what a client waits for when it leaves, and does not start it", async () => {
    const queue = createFairQueue(LIMITS);
    const leaving = new AbortController();
    let started = false;
    const first = queue.run("a", never, tick);
    const second = queue.run("b", leaving.signal, async () => {
      started = true;
    });
    leaving.abort();
    await expect(second).rejects.toMatchObject({ code: "CANCELLED" });
    await first;
    await queue.run("c", never, tick);
    expect(started).toBe(false);
    await expect(queue.run("b", leaving.signal, tick)).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("is bounded, of one client and in all", async () => {
    const queue = createFairQueue({ ...LIMITS, waiting: 3, waitingPerClient: 2 });
    const running = queue.run("a", never, tick);
    const waiting = [queue.run("a", never, tick), queue.run("a", never, tick)];
    await expect(queue.run("a", never, tick)).rejects.toMatchObject({ code: "SERVER_BUSY" });
    waiting.push(queue.run("b", never, tick));
    await expect(queue.run("b", never, tick)).rejects.toMatchObject({ code: "SERVER_BUSY" });
    await Promise.all([running, ...waiting]);
  });
});
