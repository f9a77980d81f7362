import { COMMON_WORDS, percent, saysCommon } from "../../../../src/views/atlas/words.ts";
import { counted } from "../../../../src/views/kit/text.ts";
import { Common } from "./common.tsx";
import type { PageProps } from "./page-props.ts";
import { usePictures } from "./pictures.tsx";

/** Images that the head sees alike. */
export function Groups(props: PageProps) {
  const { groups, images } = props.page;
  const picture = usePictures(props);
  if (groups.length === 0) return null;
  return (
    <section aria-labelledby="alike">
      <h3 id="alike">Images that it sees alike</h3>
      <p className="muted">
        All images, parted into {counted(groups.length, "group")} by what the head wrote into them (k-means),
        the largest group first. What the pictures of a group have in common, and groups do not share, is what
        the head tells apart. {saysCommon(props.page) && COMMON_WORDS}
      </p>
      <ol className="groups">
        {groups.map(({ size, images: rows, common }, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a group is its place
          <li key={i}>
            <h4>
              {percent(size / images)} <small>of the images</small>
            </h4>
            <Common common={common} />
            <ul className="map-thumbs">{rows.map((row) => picture(row))}</ul>
          </li>
        ))}
      </ol>
    </section>
  );
}
