import { signedScale } from "../../../src/views/kit/colour.ts";
import { decimalsFor, formatSigned } from "../../../src/views/kit/text.ts";

interface Props {
  readonly limit: number;
  readonly low: string;
  readonly high: string;
  /** Some values lie beyond the scale. */
  readonly clipped?: boolean;
}

const STEPS = 48;

/** The colour scale of a map or matrix, with its ends. */
export function ColourBar({ limit, low, high, clipped = false }: Props) {
  const scale = signedScale(limit);
  const decimals = decimalsFor(scale.limit);
  const [least, most] = [-scale.limit, scale.limit].map((value) => formatSigned(value, decimals));
  return (
    <div
      className="colour-bar"
      role="img"
      aria-label={`Colours from ${least} (${low}) through 0 to ${most} (${high})`}
    >
      <div className="ends" aria-hidden="true">
        <span>{`← ${low}`}</span>
        <span>{`${high} →`}</span>
      </div>
      <svg viewBox={`0 0 ${STEPS} 1`} preserveAspectRatio="none" aria-hidden="true">
        {Array.from({ length: STEPS }, (_, i) => (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: a band is its place
            key={i}
            x={i}
            width={1.05}
            height={1}
            fill={scale.colour(scale.limit * ((2 * (i + 0.5)) / STEPS - 1))}
          />
        ))}
      </svg>
      <div className="ends" aria-hidden="true">
        <span>{clipped ? `≤ ${least}` : least}</span>
        <span>0</span>
        <span>{clipped ? `≥ ${most}` : most}</span>
      </div>
    </div>
  );
}
