/** The thread of a browser's that the contract of threads asks. */

import { threadHandlers } from "../../test/support/thread-questions.ts";
import { answerPage, closeThread } from "../src/tab/page-port.ts";

answerPage(threadHandlers(closeThread));
