import { percent } from "../../../../src/views/atlas/words.ts";
import type { CommonValue } from "../../state/api.ts";

/** What a set of images has more often than all; nothing where chance gives as much. */
export function Common({ common, of }: { readonly common: readonly CommonValue[]; readonly of?: string }) {
  if (common.length === 0) return null;
  return (
    <p className="common">
      {of !== undefined && <span className="muted">{of}: </span>}
      {common.map(({ factor, value, share, overall }, i) => (
        <span key={`${factor} ${value}`}>
          {i > 0 && "; "}
          <bdi>{`${factor}: ${value}`}</bdi> {percent(share)} <small>(of all {percent(overall)})</small>
        </span>
      ))}
    </p>
  );
}
