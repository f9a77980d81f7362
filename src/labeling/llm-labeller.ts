/** Labels and verdicts by language models. */
import type { Described, Judge, Labeller } from "./labeller.ts";
import type { Llm } from "./llm.ts";
import { parseLabel, parseVerdicts } from "./llm-answers.ts";
import { hostOf } from "./llm-chat.ts";
import { createPrompts, type Prompts } from "./llm-prompts.ts";

const textsOf = ({ descriptions }: Described) => descriptions.map(({ text }) => text);
/** A model and where it answered, of which the host alone is told. */
const nameOf = ({ model, server }: Llm, ownTemperature = false) =>
  `${model} at ${hostOf(server)}${ownTemperature ? " (at its own temperature)" : ""}`;

/** The question that names a head, and how its answer is read. */
export const naming = (head: Described, { name }: Prompts) =>
  ({ question: name(textsOf(head)), parse: parseLabel }) as const;

/** The questions that judge a head's label: one, or one a description. */
export const judging = (label: string, head: Described, { judge, oneByOne }: Prompts) => {
  const texts = textsOf(head);
  return (oneByOne ? texts.map((text) => [text]) : [texts]).map((together) => ({
    question: judge(label, together),
    parse: (text: string) => parseVerdicts(text, together.length),
    count: together.length,
  }));
};

/**
 * A labeller that asks a language model for the common property of a head's descriptions; no label where the model says
 * that there is none.
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
  (llm: Llm, prompts: Prompts = createPrompts()): Labeller =>
  async (head, options) => {
    if (head.descriptions.length === 0) return undefined;
    const { question, parse } = naming(head, prompts);
    const { value: label, date, ownTemperature } = await llm.ask(question, parse, options);
    if (label === null) return undefined;
    const { model } = llm;
    const by = nameOf(llm, ownTemperature);
    return { label, labeller: { kind: "llm", by, model, promptHash: prompts.nameHash, date } };
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
  (judges: readonly Llm[], prompts: Prompts = createPrompts()): Judge =>
  async (label, head, options) => {
    const questions = head.descriptions.length > 0 ? judging(label, head, prompts) : [];
    const dates: string[] = [];
    const votes: { by: string; consistent: boolean[] }[] = [];
    // One after another: heads are asked for side by side already.
    for (const llm of judges) {
      const consistent: boolean[] = [];
      let ownTemperature = false;
      for (const { question, parse } of questions) {
        const answer = await llm.ask(question, parse, options);
        consistent.push(...answer.value);
        dates.push(answer.date);
        ownTemperature ||= answer.ownTemperature;
      }
      votes.push({ by: nameOf(llm, ownTemperature), consistent });
    }
    return {
      consistent: majority(
        votes.map(({ consistent }) => consistent),
        head.descriptions.length,
      ),
      judge: {
        kind: "llm",
        by: votes.map(({ by }) => by).join(", "),
        promptHash: prompts.judgeHash,
        date: dates.sort().at(-1) ?? null,
        votes: judges.length > 1 ? votes : [],
      },
    };
  };

/** Per description, whether more than half of the judges say yes. */
export const majority = (votes: readonly (readonly boolean[])[], count: number): boolean[] =>
  Array.from({ length: count }, (_, i) => 2 * votes.filter((vote) => vote[i]).length > votes.length);
