interface Props {
  readonly least: number;
  readonly most: number;
  readonly mean: number;
  readonly deviation: number;
  readonly median: number;
  /** Scores that are marked. */
  readonly marks: readonly number[];
  readonly format: (value: number) => string;
}

/** How all scores are spread, and where the nearest are in it: whether they are near, or only nearest. */
export function Spread({ least, most, mean, deviation, median, marks, format }: Props) {
  const span = most - least || 1;
  const x = (value: number) => 2 + 96 * Math.min(1, Math.max(0, (value - least) / span));
  const [from, to] = [x(mean - deviation), x(mean + deviation)];
  const label = `Scores of all pictures: from ${format(least)} to ${format(most)}, mean ${format(mean)} ± ${format(deviation)}; the nearest from ${format(Math.min(...marks))} to ${format(Math.max(...marks))}`;
  return (
    <figure className="spread">
      <svg viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label={label}>
        <line className="axis" x1="2" x2="98" y1="7" y2="7" />
        <rect className="band" x={from} width={Math.max(0.2, to - from)} y="4.5" height="5" />
        <line className="median" x1={x(median)} x2={x(median)} y1="3.5" y2="9.8" />
        {marks.map((mark, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: marks have an order and nothing else
          <line className="near" key={i} x1={x(mark)} x2={x(mark)} y1="0.3" y2="7" />
        ))}
      </svg>
      <figcaption>
        <span>{format(least)}</span>
        <span>
          all pictures: {format(mean)} ± {format(deviation)} (gray) · <b>the nearest</b> (dark lines)
        </span>
        <span>{format(most)}</span>
      </figcaption>
    </figure>
  );
}
