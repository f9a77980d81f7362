import { lookMap } from "../../../../src/views/atlas/drawings.ts";
import { lookInWords } from "../../../../src/views/atlas/words.ts";
import { Drawn } from "../../plots/drawn.tsx";
import type { AtlasHeadResult } from "../../state/api.ts";

/** Where the head looks on average. */
export function Looks({ page: { look, grid } }: { readonly page: AtlasHeadResult }) {
  if (!look) return null;
  return (
    <section className="where-it-looks" aria-labelledby="looks">
      <h4 id="looks">Where it looks</h4>
      <Drawn drawing={lookMap(look, grid)} label="Mean attention of each patch" />
      <p className="muted">{lookInWords(look)}</p>
    </section>
  );
}
