import { always, guess, listed, often, resultOf, saidOf } from "../../src/referee/referee.fixture.ts";
import { svgToPng } from "../../src/views/kit/png.ts";
import { refereeHeadsCsv, refereeMethodsCsv } from "../../src/views/referee/csv.ts";
import { refereeMarkdown } from "../../src/views/referee/markdown.ts";
import { refereeHtml } from "../../src/views/referee/page.ts";
import { refereeSvg } from "../../src/views/referee/svg.ts";
import { refereeTerminal } from "../../src/views/referee/words.ts";
import type { Gallery } from "./picture.ts";

const says = { good: often(0.8), fair: often(0.4), guess, always, known: often(0.95) };
const methods = [...["good", "fair", "guess", "always"].map((key) => listed(key)), listed("known", "upper")];
const saidBy = (...names: readonly string[]) => names.map((name, i) => saidOf(name, i + 1, says));
const pairs = Array.from({ length: 16 }, (_, i) => {
  const head = `L${Math.floor(i / 4)}.H${i % 4}`;
  return [`${head} tiny`, `${head} tiny-s2`] as const;
});
/** Four methods and the upper bound over three models, two of them seeds of one recipe. */
const several = () => resultOf(saidBy("tiny", "tiny-s2", "large"), methods, pairs);

export const referees: Gallery = {
  title: "The referee",
  pictures: [
    {
      name: "referee/methods.svg",
      shows: "the upper bound, four methods and one label for all: dots, ranges over trainings, grey chance",
      draw: () => refereeSvg(several()),
    },
    {
      name: "referee/methods.png",
      shows: "the same as pixels",
      draw: () => svgToPng(refereeSvg(several()), { width: 600 }),
    },
    {
      name: "referee/page.html",
      shows:
        "the whole report: findings, who is right, whether it holds elsewhere and when heads are taken out",
      draw: () => refereeHtml(several()),
    },
    {
      name: "referee/markdown.txt",
      shows: "the report as Markdown",
      draw: () => refereeMarkdown(several()),
    },
    {
      name: "referee/methods-csv.txt",
      shows: "every method, a line each; the one that did not run has no numbers",
      draw: () => refereeMethodsCsv(several()),
    },
    {
      name: "referee/heads-csv.txt",
      shows: "every head, a line each, with what every method says",
      draw: () => refereeHeadsCsv(several()),
    },
    {
      name: "referee/findings-one-model.txt",
      shows: "of one model nothing is said about trainings",
      draw: () => refereeTerminal(resultOf(saidBy("tiny"), methods)),
    },
  ],
};
