import { histogram } from "../../../../src/views/atlas/drawings.ts";
import { addsInWords, directionName, END_WORDS, inOrder } from "../../../../src/views/atlas/words.ts";
import { counted } from "../../../../src/views/kit/text.ts";
import { Drawn } from "../../plots/drawn.tsx";
import type { AtlasShown } from "../../state/api.ts";
import { useIsPhone } from "../../state/phone.ts";
import { Common } from "./common.tsx";
import { Looks } from "./looks.tsx";
import type { PageProps } from "./page-props.ts";
import { usePictures } from "./pictures.tsx";

/** The first direction beside where the head looks: what a reader sees first. */
export function FirstDirection(props: PageProps) {
  const { state, go, page } = props;
  const { directions, withoutMaps, look } = page;
  if (directions.length === 0) {
    return (
      <>
        <p>Nothing varies in this head over these images.</p>
        <Looks page={page} />
      </>
    );
  }
  const isText = directions[0].kind === "text";
  const hasMaps = page.pictures.some(({ covered }) => covered !== null);
  return (
    <section aria-labelledby="along">
      <h3 id="along">Images along its first {isText ? "text" : "principal direction"}</h3>
      <p className="muted">
        {isText && "A text stands for a direction that the head writes along. "}
        Scores are what the head wrote along it, less the mean over all images: the least left, the most
        right. A picture leads to Look.
      </p>
      {hasMaps && (
        <p className="maps-switch">
          <label>
            <input
              type="checkbox"
              checked={state.maps}
              onChange={(event) => go({ maps: event.target.checked }, { replace: true })}
            />{" "}
            maps on the pictures
          </label>{" "}
          <small>
            Red: the patch adds to the score; blue: it takes away.
            {withoutMaps > 0 && ` ${counted(withoutMaps, "image")} have no map.`}
          </small>
        </p>
      )}
      <div className={look ? "beside" : undefined}>
        <Direction step={0} {...props} />
        <Looks page={page} />
      </div>
    </section>
  );
}

/** The others, each below the one before. */
export function OtherDirections(props: PageProps) {
  const [first, ...others] = props.page.directions;
  if (others.length === 0) return null;
  const isText = first.kind === "text";
  return (
    <section aria-labelledby="along-others">
      <h3 id="along-others">Images along its other {isText ? "texts" : "principal directions"}</h3>
      <p className="muted">
        {isText
          ? "Each text stands for what the head writes along it less those before it."
          : "Each is at right angles to those before it."}
      </p>
      {others.map(({ name }, i) => (
        <Direction key={name} step={i + 1} {...props} />
      ))}
    </section>
  );
}

function Direction({ step, ...props }: PageProps & { readonly step: number }) {
  const { page } = props;
  const direction = page.directions[step];
  const picture = usePictures(props);
  const width = useIsPhone() ? 320 : 640;
  const text = direction.kind === "text" ? direction.name : undefined;
  const name = directionName(direction);
  const { tenths, ...ends } = inOrder(direction);
  const thumbs = (shown: readonly AtlasShown[]) => (
    <ul className="map-thumbs">{shown.map((one) => picture(one.row, one, text))}</ul>
  );
  return (
    <section className="direction" aria-label={`Along ${name}`}>
      <h4>
        <bdi>{name}</bdi>
        {direction.property !== null && <small> {direction.property}</small>}{" "}
        <small>{addsInWords(page, direction, step)}</small>
      </h4>
      {(["least", "most"] as const).map((end) => (
        <div className={`ends-of ${end}`} key={end}>
          <h5>{END_WORDS[end].title}</h5>
          {thumbs(ends[end])}
          <Common common={direction.common[end]} of={END_WORDS[end].of} />
        </div>
      ))}
      <div className="across">
        <h5>every tenth of all images, some drawn at random from it</h5>
        <ol className="deciles">
          {tenths.map(({ called, images }) => (
            <li key={called}>
              <span>{called}</span>
              {thumbs(images)}
            </li>
          ))}
        </ol>
      </div>
      <div className="across">
        <h5>scores of all images</h5>
        <Drawn
          drawing={histogram(direction.histogram, width, 64)}
          label={`Scores of all images along ${name}`}
        />
      </div>
    </section>
  );
}
