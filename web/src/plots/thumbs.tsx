import { CorpusPicture } from "./corpus-picture.tsx";

/** One picture of a row. */
export interface Thumb {
  readonly image: string;
  readonly name: string;
  readonly score: string;
  readonly percentile: string;
  /** What it has in common with the others, if anything. */
  readonly note?: string | undefined;
}

interface Props {
  readonly title: string;
  readonly explanation: string;
  /** Undefined while they are looked for: their room is kept. */
  readonly items: readonly Thumb[] | undefined;
  /** How many there will be. */
  readonly expected: number;
  /** What the others are compared with, shown first. */
  readonly query?: string;
  readonly hrefOf: (image: string) => string;
  readonly onOpen: (image: string) => void;
}

/** A row of pictures with their scores; each is a link that looks at it. */
export function Thumbs({ title, explanation, items, expected, query, hrefOf, onOpen }: Props) {
  return (
    <section className="thumbs" aria-label={title} aria-busy={items === undefined}>
      <h3>
        {title} <small>{explanation}</small>
      </h3>
      <ol>
        {query !== undefined && (
          <li className="query">
            <CorpusPicture image={query} side={104} />
            <span>this picture</span>
          </li>
        )}
        {!items &&
          Array.from({ length: expected }, (_, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: an empty place is its number
            <li key={i} className="place" aria-hidden="true">
              <span className="square" />
              <span className="lines" />
            </li>
          ))}
        {items?.map(({ image, name, score, percentile, note }) => (
          <li key={image}>
            <a
              href={hrefOf(image)}
              title={`${name}: score ${score}, higher than ${percentile} of all pictures. Click to look at it.`}
              onClick={(event) => {
                if (event.metaKey || event.ctrlKey || event.shiftKey) return;
                event.preventDefault();
                onOpen(image);
              }}
            >
              <CorpusPicture image={image} side={104} lazy />
              <span className="name">
                <bdi>{name}</bdi>
              </span>
              <span className="score">{score}</span>
              <span className="percentile">{percentile}</span>
              {note !== undefined && <span className="note">{note}</span>}
            </a>
          </li>
        ))}
      </ol>
    </section>
  );
}
