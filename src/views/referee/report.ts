/** The parts of the referee's report in their order, for a page and for Markdown. */
import type { RefereeResult } from "../../results/referee.ts";
import type { Table } from "../kit/table.ts";
import {
  behindTable,
  causalTable,
  elsewhereTable,
  inputTable,
  matchedTable,
  methodTable,
  modelTable,
  rightTable,
} from "./tables.ts";
import { CAUSAL, ELSEWHERE, METHOD } from "./words.ts";

/** A part: a heading, words, tables. */
export interface Part {
  readonly id: string;
  readonly title: string;
  readonly words: readonly string[];
  readonly tables: readonly Table[];
}

/** All parts after the findings; tables without rows are left out. */
export function partsOf(result: RefereeResult): Part[] {
  const { origin, code, settings } = result;
  const made = `Computed by ${origin.program} ${origin.version}, modules ${code.slice(0, 16)}. Heads: ${settings.heads}; ${settings.halvings} halvings of images and texts; ${settings.permutations} permutations; seed ${settings.seed}. The same inputs give this report again, byte for byte; referee.json holds every number.`;
  const parts: Part[] = [
    {
      id: "right",
      title: "Who is right?",
      words: [METHOD],
      tables: [rightTable(result), behindTable(result), modelTable(result)],
    },
    {
      id: "elsewhere",
      title: "Does it hold elsewhere?",
      words: [ELSEWHERE],
      tables: [elsewhereTable(result), matchedTable(result)],
    },
    { id: "causal", title: "Is it what the head does?", words: [CAUSAL], tables: [causalTable(result)] },
    { id: "methods", title: "Methods", words: [], tables: [methodTable(result)] },
    { id: "made", title: "How this was made", words: [made], tables: [inputTable(result)] },
  ];
  return parts.map((part) => ({ ...part, tables: part.tables.filter(({ rows }) => rows.length > 0) }));
}
