import { textCurve } from "../../../../src/views/atlas/drawings.ts";
import { addedByChance, explainedInWords, percent } from "../../../../src/views/atlas/words.ts";
import { Drawn } from "../../plots/drawn.tsx";
import type { PageProps } from "./page-props.ts";
import { TableScroll } from "./table-scroll.tsx";

/** The texts that TEXTSPAN chose, with what they explain. */
export function Texts({ page, steps }: PageProps) {
  const { texts, control } = page;
  const sentence = explainedInWords(page, steps);
  if (sentence === undefined) return null;
  const sums = texts.map((_, i) => texts.slice(0, i + 1).reduce((sum, { explained }) => sum + explained, 0));
  const chanceColumn = (
    <th scope="col" className="n">
      by chance
    </th>
  );
  return (
    <section aria-labelledby="explained">
      <h3 id="explained">What its texts explain</h3>
      <p>{sentence}</p>
      <div className="pair">
        <TableScroll label="Texts of the head">
          <table className="numbers">
            <thead>
              <tr>
                <th scope="col">#</th>
                <th scope="col">text</th>
                <th scope="col" className="n">
                  adds
                </th>
                {control && chanceColumn}
                <th scope="col" className="n">
                  together
                </th>
                {control && chanceColumn}
              </tr>
            </thead>
            <tbody>
              {texts.map(({ index, text, property, explained }, i) => (
                <tr key={index}>
                  <td>{i + 1}</td>
                  <th scope="row">
                    <bdi>{text}</bdi> {property !== null && <small>{property}</small>}
                  </th>
                  <td className="n">{percent(explained)}</td>
                  {control && <td className="n muted">{percent(addedByChance(page, i)!)}</td>}
                  <td className="n">{percent(sums[i])}</td>
                  {control && <td className="n muted">{percent(control.mean[i])}</td>}
                </tr>
              ))}
            </tbody>
          </table>
        </TableScroll>
        {control && (
          <figure>
            <Drawn
              drawing={textCurve(page)}
              label="Share of the head’s variance that its texts explain together"
            />
            <figcaption className="muted">
              Blue: its texts together. Grey: the same choice without meaning (95 % of rotations). Dashes: the
              most that is possible.
            </figcaption>
          </figure>
        )}
      </div>
    </section>
  );
}
