import { useMemo } from "react";
import { formatSigned } from "../../../../src/views/kit/text.ts";
import { MapThumb } from "../../plots/map-thumb.tsx";
import type { AtlasShown } from "../../state/api.ts";
import type { PageProps } from "./page-props.ts";

/** Makes one picture of the page, which leads to Look. */
export function usePictures({ state, page, linkTo }: PageProps) {
  const pictures = useMemo(() => new Map(page.pictures.map((one) => [one.row, one])), [page]);
  return (row: number, shown?: AtlasShown, text?: string) => {
    const picture = pictures.get(row);
    if (!picture) return null;
    const image = `${state.corpus}:${picture.id}`;
    const called = picture.label ?? picture.path.split("/").at(-1) ?? picture.path;
    const factors = Object.entries(picture.factors).flatMap(([name, value]) =>
      value === null ? [] : [`${name}: ${value}`],
    );
    const score = shown ? [`score ${formatSigned(shown.score, 3)}`] : [];
    return (
      <li key={row}>
        <a
          title={[called, ...score, ...factors].join(" · ")}
          {...linkTo({
            ...{ view: "look", image, heads: page.entry.name, head: null, on: 0, against: null },
            ...(text !== undefined && { texts: [text] }),
          })}
        >
          <MapThumb
            image={image}
            alt={called}
            covered={picture.covered}
            map={state.maps && shown ? shown.map : null}
            grid={page.grid}
            limit={page.mapLimit}
          />
          {shown && <span className="score">{formatSigned(shown.score, 3)}</span>}
        </a>
      </li>
    );
  };
}
