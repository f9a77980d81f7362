import { useState } from "react";
import { pictureUrl } from "../state/api.ts";

/** A small picture of a corpus's image, or a frame that says that its file is gone. */
export function CorpusPicture({ image, side, lazy }: { image: string; side: number; lazy?: boolean }) {
  const [gone, setGone] = useState<string>();
  if (gone === image) return <span className="gone">the file is gone</span>;
  return (
    <img
      src={pictureUrl(image, 160)}
      alt=""
      width={side}
      height={side}
      onError={() => setGone(image)}
      {...(lazy && { loading: "lazy" as const })}
    />
  );
}
