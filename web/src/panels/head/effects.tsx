import { percent, signedPercent } from "../../../../src/views/atlas/words.ts";
import { counted } from "../../../../src/views/kit/text.ts";
import type { AtlasHeadResult } from "../../state/api.ts";
import { TableScroll } from "./table-scroll.tsx";

/** What happens without the head. */
export function Effects({ page: { effects } }: { page: AtlasHeadResult }) {
  if (effects.length === 0) return null;
  return (
    <section aria-labelledby="without">
      <h3 id="without">What happens without it</h3>
      <p className="muted">
        Zero-shot accuracy with the head’s direct effect replaced by its mean over the images, and the share
        of the true value’s lead that the head brings.
      </p>
      <TableScroll label="Effects of taking the head away">
        <table className="numbers">
          <thead>
            <tr>
              <th scope="col">factor</th>
              {["of the lead", "with it", "without", "heads missed less"].map((name) => (
                <th scope="col" className="n" key={name}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {effects.map(({ factor, classes, direct, whole, without, percentile }) => (
              <tr key={factor}>
                <th scope="row">
                  {factor} <small>{counted(classes, "value")}</small>
                </th>
                <td className="n">{signedPercent(direct)}</td>
                <td className="n">{(100 * whole).toFixed(1)} %</td>
                <td className="n">{(100 * without).toFixed(1)} %</td>
                <td className="n">{percent(percentile)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableScroll>
    </section>
  );
}
