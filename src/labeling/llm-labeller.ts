/** Labels and verdicts by language models. */
import type { Described, Judge, Labeller } from "./labeller.ts";
import type { Answer, Llm } from "./llm.ts";
import { parseLabel, parseVerdicts } from "./llm-answers.ts";
import { JUDGE_PROMPT_HASH, judgeQuestion, NAME_PROMPT_HASH, nameQuestion } from "./llm-prompts.ts";

const textsOf = ({ descriptions }: Described) => descriptions.map(({ text }) => text);
const nameOf = ({ model, server }: Llm) => `${model} at ${server}`;

/** The question that names a head, and how its answer is read. */
export const naming = (head: Described) =>
  ({ question: nameQuestion(textsOf(head)), parse: parseLabel }) as const;

/** The question that judges a head's label. */
export const judging = (label: string, head: Described) =>
  ({
    question: judgeQuestion(label, textsOf(head)),
    parse: (text: string) => parseVerdicts(text, head.descriptions.length),
  }) as const;

/**
 * A labeller that asks a language model for the common property of a head's descriptions.
 *
 * @example
 * ```ts
 * import { createAnswerCache, createLlm, llmLabeller } from "clip-interpret/labeling";
 *
 * const url = process.env.LLM_URL ?? "http://localhost:11434/v1";
 * const llm = createLlm({ url, model: "llama3.1", cache: createAnswerCache("out/answers") });
 * const descriptions = [{ text: "a photo of a harbour", property: null, explainedVariance: 0.2 }];
 * const named = await llmLabeller(llm)({ layer: 22, head: 2, name: "L22.H2", descriptions }, {});
 * console.log(named?.label); // → Location
 * ```
 */
export const llmLabeller =
  (llm: Llm): Labeller =>
  async (head, options) => {
    if (head.descriptions.length === 0) return undefined;
    const { question, parse } = naming(head);
    const { value: label, date } = await llm.ask(question, parse, options);
    const { model } = llm;
    return { label, labeller: { kind: "llm", by: nameOf(llm), model, promptHash: NAME_PROMPT_HASH, date } };
  };

/**
 * A judge of one or several language models. A description fits if more than half of them say so: half is not enough.
 * Where there are several, each one's votes are kept.
 * @example
 * ```ts
 * import { createAnswerCache, createLlm, llmJudge } from "clip-interpret/labeling";
 *
 * const url = process.env.LLM_URL ?? "http://localhost:11434/v1";
 * const llm = createLlm({ url, model: "llama3.1", cache: createAnswerCache("out/answers") });
 * const descriptions = ["a photo of a harbour", "a red ball"].map((text) => ({
 *   ...{ text, property: null, explainedVariance: 0.2 },
 * }));
 * const { consistent } = await llmJudge([llm])("Location", { layer: 22, head: 2, name: "L22.H2", descriptions }, {});
 * console.log(consistent); // → [ true, false ]
 * ```
 */
export const llmJudge =
  (judges: readonly Llm[]): Judge =>
  async (label, head, options) => {
    const { question, parse } = judging(label, head);
    const answers: Answer<boolean[]>[] = [];
    // One after another: heads are asked for side by side already.
    for (const llm of head.descriptions.length > 0 ? judges : []) {
      answers.push(await llm.ask(question, parse, options));
    }
    const votes = answers.map(({ value }, i) => ({ by: nameOf(judges[i]), consistent: value }));
    return {
      consistent: majority(
        votes.map(({ consistent }) => consistent),
        head.descriptions.length,
      ),
      judge: {
        kind: "llm",
        by: judges.map(nameOf).join(", "),
        promptHash: JUDGE_PROMPT_HASH,
        date:
          answers
            .map(({ date }) => date)
            .sort()
            .at(-1) ?? null,
        votes: judges.length > 1 ? votes : [],
      },
    };
  };

/** Per description, whether more than half of the judges say yes. */
export const majority = (votes: readonly (readonly boolean[])[], count: number): boolean[] =>
  Array.from({ length: count }, (_, i) => 2 * votes.filter((vote) => vote[i]).length > votes.length);
