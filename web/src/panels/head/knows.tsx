import { factorBars } from "../../../../src/views/atlas/drawings.ts";
import { factorInWords } from "../../../../src/views/atlas/words.ts";
import { Drawn } from "../../plots/drawn.tsx";
import type { AtlasHeadResult } from "../../state/api.ts";

/** What known factors explain of the head. */
export function Knows({ page: { factors } }: { page: AtlasHeadResult }) {
  if (factors.length === 0) return null;
  return (
    <section aria-labelledby="knows">
      <h3 id="knows">What it knows</h3>
      <p className="muted">
        Share of what varies in the head that each known factor explains beyond chance; red where it writes
        towards the text of the value that it sees, blue where away from it, grey where neither is certain.
      </p>
      <Drawn drawing={factorBars(factors)} label={`Selectivity: ${factors.map(factorInWords).join("; ")}`} />
    </section>
  );
}
