import { type CSSProperties, useMemo, useState } from "react";
import type { WordsResult } from "../../../src/results/words.ts";
import { signedScale } from "../../../src/views/kit/colour.ts";
import { largestOf, signedPaint } from "../../../src/views/kit/panel.ts";
import { formatSigned } from "../../../src/views/kit/text.ts";
import { decimalsOf, ledgerOf, limitOf, sumInWords } from "../../../src/views/words/words.ts";
import { ProblemNote } from "./problem.tsx";

/** A word that stays chosen, and what it is a word of. */
interface Kept {
  readonly of: string;
  readonly word: number;
}

/** Which word of a text is lit, by a mouse, a finger or the keyboard, and its map. */
export function useLitWord(found: WordsResult | undefined, subject: string, squares: boolean) {
  const [hovered, setHovered] = useState<number | null>(null);
  const [kept, setKept] = useState<Kept | null>(null);
  const key = `${subject} ${found?.text}`;
  const keptWord = kept?.of === key ? kept.word : null;
  const lit = hovered ?? keptWord;
  const word = lit === null ? undefined : found?.words[lit];
  const view = useMemo(() => {
    if (!found || !word) return undefined;
    const limit = limitOf(found);
    return { limit, paint: signedPaint(word.map, limit, { squares }) };
  }, [found, word, squares]);
  return {
    ...{ lit, word, view, kept: keptWord, onLight: setHovered },
    onKeep: (next: number | null) =>
      setKept(next === null || next === keptWord ? null : { of: key, word: next }),
  };
}

interface Props {
  readonly text: string;
  readonly found: WordsResult | undefined;
  readonly error: unknown;
  readonly lit: ReturnType<typeof useLitWord>;
  /** A marked patch: what each word adds there is written below it. */
  readonly patch: number | null;
  /** What the words are not of, where the picture shows more than this text's score. */
  readonly note: string | null;
}

/** The text, its words underlined: each lights up to show where it looks; at a marked patch each says what it adds there. */
export function LookWords({ text, found, error, lit, patch, note }: Props) {
  if (error) return <ProblemNote error={error} />;
  if (!found) return <Room text={text} />;
  const { words, grid, image } = found;
  const at = patch === null ? null : { row: Math.floor(patch / grid.columns), column: patch % grid.columns };
  const shown = words.map(({ map, shares }) => (at ? map[at.row][at.column] : shares[0]));
  const scale = signedScale(largestOf(shown));
  const decimals = decimalsOf(found);
  const rows = ledgerOf(found);
  return (
    <div className="word-facts">
      <p className="words">
        {words.map(({ text: word }, i) => (
          <button
            // biome-ignore lint/suspicious/noArrayIndexKey: a word may stand in a text twice
            key={i}
            type="button"
            className={i === lit.lit ? "word lit" : "word"}
            aria-pressed={i === lit.kept}
            aria-label={`${word}: ${formatSigned(shown[i], decimals)} ${at ? "at the marked patch" : "with all patches"}; show where it looks`}
            style={{ "--mark": scale.colour(shown[i]) } as CSSProperties}
            onPointerEnter={(event) => event.pointerType !== "touch" && lit.onLight(i)}
            onPointerLeave={(event) => event.pointerType !== "touch" && lit.onLight(null)}
            onFocus={(event) => event.currentTarget.matches(":focus-visible") && lit.onLight(i)}
            onBlur={() => lit.onLight(null)}
            onKeyDown={(event) => event.key === "Escape" && lit.onKeep(null)}
            onClick={() => lit.onKeep(i)}
          >
            <bdi>{word}</bdi>
            <small aria-hidden="true">{formatSigned(shown[i], decimals)}</small>
          </button>
        ))}
      </p>
      {note && <p className="words-note">{note}</p>}
      <details>
        <summary className="words-sum" data-testid="words-sum">
          {sumInWords(found)}
        </summary>
        <section
          className="wide"
          aria-label="Parts of the text by parts of the picture"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
          tabIndex={0}
        >
          <table className="numbers">
            <thead>
              <tr>
                <th scope="col">part of the text</th>
                {[...image, "together"].map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ text: part, shares, value }, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a word may stand in a text twice
                <tr key={i}>
                  <th scope="row">{part}</th>
                  {[...shares, value].map((share, column) => (
                    <td key={[...image, "together"][column]}>{formatSigned(share, decimals)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      </details>
    </div>
  );
}

/** The room of what comes. */
const Room = ({ text }: { readonly text: string }) => (
  <div className="word-facts words-room" aria-hidden="true">
    <p className="words">
      {text.split(/\s+/).map((word, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a word may stand in a text twice
        <span key={i} className="word">
          <bdi>{word}</bdi>
          <small>+0.0000</small>
        </span>
      ))}
    </p>
    <p className="words-sum">{SUM_OF_NOTHING}</p>
  </div>
);

const SUM_OF_NOTHING =
  "Words and patches add +0.0000; what has no word or no patch adds +0.0000. Together 0.0000; the cosine computed directly is 0.0000 (off by 4e-8).";
