/** What labelling by a language model will cost, before anything is sent. */
import type { Estimate } from "../results/label.ts";
import type { ExamQuestion } from "./exam.ts";
import type { Described } from "./labeller.ts";
import type { Llm, Parse } from "./llm.ts";
import type { Question } from "./llm-chat.ts";
import { judging, naming } from "./llm-labeller.ts";
import { createPrompts, type Prompts, writeVerdicts } from "./llm-prompts.ts";

/** What the labeller will ask. */
export interface Plan {
  /** Names heads; absent where another labeller does. */
  readonly labeller?: Llm | undefined;
  readonly judges: readonly Llm[];
  /** Default: ours. */
  readonly prompts?: Prompts | undefined;
  /** Asked of every judge besides. */
  readonly questions?: readonly ExamQuestion[];
  /** Labels that are known beforehand, by the head's name. */
  readonly known: Readonly<Record<string, string>>;
}

/** Prices in any currency per million tokens. */
export interface Prices {
  readonly in: number;
  readonly out: number;
}

const CHARACTERS_PER_TOKEN = 4;
/** What a chat format adds to each turn. */
const TOKENS_PER_TURN = 4;
/** The place of a label that is not known yet. */
const A_LABEL = "Some property";

/** Counts the questions that the cache cannot answer, and their tokens. */
export async function estimateCost(
  heads: readonly Described[],
  { labeller, judges, known, questions = [], prompts = createPrompts() }: Plan,
  prices?: Prices,
): Promise<Estimate> {
  let [requests, cached, tokensIn, tokensOut] = [0, 0, 0, 0];
  const count = async <T>(
    llm: Llm,
    question: Question,
    parse: Parse<T>,
    answer: string,
    certain: boolean,
  ) => {
    const kept = certain ? await llm.known(question, parse) : undefined;
    if (kept) {
      cached++;
      return kept.value;
    }
    requests++;
    tokensIn += tokensOf(question);
    tokensOut += Math.ceil(answer.length / CHARACTERS_PER_TOKEN);
    return undefined;
  };
  const countJudging = async (label: string | undefined, head: Described) => {
    for (const judge of judges) {
      for (const { question, parse, count: verdicts } of judging(label ?? A_LABEL, head, prompts)) {
        const answer = writeVerdicts(Array.from({ length: verdicts }, () => true));
        await count(judge, question, parse, answer, label !== undefined);
      }
    }
  };
  for (const head of heads) {
    if (head.descriptions.length === 0) continue;
    let label: string | null | undefined = known[head.name];
    if (labeller && label === undefined) {
      const { question, parse } = naming(head, prompts);
      label = await count(labeller, question, parse, A_LABEL, true);
    }
    if (label !== null) await countJudging(label, head);
  }
  for (const { label, head } of questions) await countJudging(label, head);
  const cost = prices ? (tokensIn * prices.in + tokensOut * prices.out) / 1e6 : null;
  return { requests, cached, tokensIn, tokensOut, cost };
}

function tokensOf({ system, turns }: Question): number {
  const texts = [system, ...turns.map(({ content }) => content)];
  const characters = texts.reduce((sum, { length }) => sum + length, 0);
  return Math.ceil(characters / CHARACTERS_PER_TOKEN) + TOKENS_PER_TURN * texts.length;
}
