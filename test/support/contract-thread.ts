/** The thread of Node's that the contract of threads asks. */
import { answerCalls } from "../../src/support/answer-calls.ts";
import { closeThread, starterPort } from "../../src/support/node-port.ts";
import { threadHandlers } from "./thread-questions.ts";

answerCalls(starterPort(), threadHandlers(closeThread));
