/** The numbers of the referee over the embedded models in docs/: written by `npm run docs:referee`, held by a long test. */

import type { RefereeResult } from "../src/results/referee.ts";
import { inlineMarkdown, tableMarkdown } from "../src/views/kit/table.ts";
import {
  behindTable,
  causalTable,
  elsewhereTable,
  matchedTable,
  methodTable,
  modelTable,
  rightTable,
} from "../src/views/referee/tables.ts";
import { findings } from "../src/views/referee/words.ts";

/** Every block of docs/referee.md by its name. */
export function refereeBlocks(result: RefereeResult): Readonly<Record<string, string>> {
  return {
    found: findings(result)
      .map((finding) => `> ${inlineMarkdown(finding)}`)
      .join("\n>\n"),
    methods: tableMarkdown(methodTable(result)),
    right: tableMarkdown(rightTable(result)),
    behind: tableMarkdown(behindTable(result)),
    models: tableMarkdown(modelTable(result)),
    elsewhere: tableMarkdown(elsewhereTable(result)),
    matched: tableMarkdown(matchedTable(result)),
    causal: tableMarkdown(causalTable(result)),
  };
}
