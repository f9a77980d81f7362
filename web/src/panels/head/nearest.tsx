import { counted } from "../../../../src/views/kit/text.ts";
import type { AtlasHeadResult } from "../../state/api.ts";
import { calledHead } from "../../state/atlas.ts";
import { useModels } from "../../state/queries.ts";
import type { ViewState } from "../../state/url.ts";
import type { PageProps } from "./page-props.ts";

/** Heads that respond alike, in this model and in others. */
export function Nearest({ page, linkTo }: PageProps) {
  const { nearest, elsewhere, entry } = page;
  // Another model's page can be opened where that model is served.
  const { data: models } = useModels(elsewhere.length > 0);
  if (nearest.length === 0 && elsewhere.length === 0) return null;
  const table = (
    caption: string,
    heads: AtlasHeadResult["nearest"],
    linked: ((head: string) => Partial<ViewState>) | null,
  ) => (
    <section className="table-scroll" key={caption} aria-label={caption}>
      <table className="numbers">
        <caption>{caption}</caption>
        <thead>
          <tr>
            <th scope="col">head</th>
            <th scope="col" className="n">
              similarity
            </th>
            <th scope="col" className="n">
              by chance
            </th>
          </tr>
        </thead>
        <tbody>
          {heads.map(({ name, label, similarity, chance }) => (
            <tr key={name}>
              <th scope="row">
                {linked ? (
                  <a {...linkTo(linked(name))}>
                    <bdi>{calledHead(name, label)}</bdi>
                  </a>
                ) : (
                  <bdi>{calledHead(name, label)}</bdi>
                )}
              </th>
              <td className="n">{similarity.toFixed(2)}</td>
              <td className="n muted">{chance.toFixed(2)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
  return (
    <section aria-labelledby="like">
      <h3 id="like">Heads that respond like {entry.name}</h3>
      <p className="muted">
        Linear CKA: 1 where two heads tell the same images apart in the same way, whatever they write.
      </p>
      <div className="pair">
        {table("in this model", nearest, (name) => ({ head: name }))}
        {elsewhere.map(({ model, index, images, heads }) =>
          table(
            `in ${model} (${index}), over ${counted(images, "shared image")}`,
            heads,
            models?.models.some((one) => one.name === model && one.present)
              ? (name) => ({ head: name, model })
              : null,
          ),
        )}
      </div>
    </section>
  );
}
