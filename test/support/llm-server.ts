import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { z } from "zod";

const bodySchema = z.object({
  model: z.string(),
  temperature: z.number().optional(),
  max_tokens: z.int().optional(),
  max_completion_tokens: z.int().optional(),
  response_format: z
    .object({
      type: z.literal("json_schema"),
      json_schema: z.object({
        name: z.string(),
        strict: z.literal(true),
        schema: z.looseObject({ required: z.array(z.string()) }),
      }),
    })
    .optional(),
  messages: z.array(z.object({ role: z.enum(["system", "user", "assistant"]), content: z.string() })).min(1),
});

/** A request as it came. */
export interface SeenQuestion {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: z.infer<typeof bodySchema>;
  /** The last turn. */
  readonly question: string;
  /** Asked for verdicts, not for a name. */
  readonly judging: boolean;
}

/** A language model's stand-in on the loopback interface that speaks OpenAI's chat completions. */
export interface LlmServer {
  /** Ends in `/v1`. */
  readonly url: string;
  readonly seen: SeenQuestion[];
  /** What the model says. By default every head is about places, and every description but the last fits. */
  answer: (seen: SeenQuestion) => string;
  /** What a test makes go wrong; called before every answer, true if it answered or never will. */
  interfere: (seen: SeenQuestion, response: ServerResponse) => boolean | Promise<boolean>;
  /** Most requests that were open at once. */
  readonly crowd: () => number;
  stop(): void;
}

/** A chat completion. */
export const completion = (content: string | null, finish = "stop", more: object = {}) => ({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "stand-in",
  choices: [{ index: 0, message: { role: "assistant", content, ...more }, finish_reason: finish }],
  usage: { prompt_tokens: 100, completion_tokens: 7, total_tokens: 107 },
});

/** Sends JSON. */
export function sendJson(
  response: ServerResponse,
  value: unknown,
  status = 200,
  headers: Record<string, string> = {},
): true {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
  return true;
}

const linesOf = (question: string) => question.split("\n").filter((line) => /^\d+\. /.test(line)).length;

/** Starts a server that ends with the running test. */
export async function serveLlm(): Promise<LlmServer> {
  const seen: SeenQuestion[] = [];
  let [open, crowd] = [0, 0];
  const server = createServer(async (request, response) => {
    crowd = Math.max(crowd, ++open);
    response.on("close", () => open--);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = bodySchema.parse(JSON.parse(Buffer.concat(chunks).toString()));
    const question = body.messages.at(-1)?.content ?? "";
    const judging = /^(Property|Concept): /.test(question);
    const one = { path: request.url ?? "", headers: request.headers, body, question, judging };
    seen.push(one);
    if (await llm.interfere(one, response)) return;
    sendJson(response, completion(llm.answer(one)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const llm: LlmServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    seen,
    answer: ({ question, judging }) => {
      if (!judging) return "Location";
      const count = linesOf(question);
      return Array.from({ length: count }, (_, i) => `${i + 1} ${i + 1 < count ? "yes" : "no"}`).join("\n");
    },
    interfere: () => false,
    crowd: () => crowd,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
  onTestFinished(() => llm.stop());
  return llm;
}
