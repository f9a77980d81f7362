import { describe, expect, it } from "vitest";
import { ERRORS } from "../../src/support/errors.ts";
import type { ThreadQuestion } from "./thread-questions.ts";

/**
 * What any thread must do.
 * @param ask asks a thread that is started for it, at the place where threads are started
 */
export function describeThreads(place: string, ask: (question: ThreadQuestion) => Promise<unknown>): void {
  describe(`threads of ${place}`, () => {
    it("answer each question for itself", async () => {
      expect(await ask("answers")).toEqual([[-6], [2, 5]]);
    });

    it("are given numbers, and hand them over, without a copy", async () => {
      expect(await ask("moves")).toEqual([0, [2, 4], 5, 0]);
    });

    it("say how far they are, to whoever asked", async () => {
      expect(await ask("progress")).toEqual({ counts: [3, 1], heard: [1, 2, 3], other: 1 });
    });

    it("stop one question, and go on with others", async () => {
      expect(await ask("stops")).toEqual(["CANCELLED", 10, "CANCELLED"]);
    });

    it("fail with the code, the message and the hint of what failed there, and answer what comes next", async () => {
      const told = { code: "HEADS_INVALID", message: "no head L9.H9" };
      expect(await ask("fails")).toEqual({
        own: expect.objectContaining({ ...told, hint: "Look at `heads`." }),
        plain: expect.objectContaining({ ...told, hint: ERRORS.HEADS_INVALID.hint }),
        unsendable: "INTERNAL",
        unsent: "DataCloneError",
        after: 1,
      });
    });

    it("that die fail what they were asked, and what they are asked then", async () => {
      expect(await ask("dies")).toEqual({
        codes: ["THREAD_ENDED", "THREAD_ENDED", "THREAD_ENDED"],
        message: expect.stringMatching(/^a thread ended while it worked: .*out of luck/),
      });
    });

    it("end when they are told to, once", async () => {
      expect(await ask("closes")).toEqual(["THREAD_ENDED", "THREAD_ENDED"]);
    });
  });
}
