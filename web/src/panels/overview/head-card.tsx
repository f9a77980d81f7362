import { factorInWords, metricValue, percent } from "../../../../src/views/atlas/words.ts";
import { CorpusPicture } from "../../plots/corpus-picture.tsx";
import { Said } from "../../plots/said.tsx";
import type { AtlasEntry, AtlasMetricWords, KnowingHeads } from "../../state/api.ts";

interface CardProps {
  readonly head: AtlasEntry;
  readonly metric: AtlasMetricWords | undefined;
  readonly knowing: KnowingHeads["heads"][number] | undefined;
  /** One of each group of images that it sees alike. */
  readonly images: readonly string[];
  readonly href: (head: string) => string;
  readonly onOpen: (head: string) => void;
  readonly onPoint: (head: string | null) => void;
  readonly isPointed: boolean;
}

/** What one head looks for, in short. */
export function HeadCard({ head, metric, knowing, images, href, onOpen, onPoint, isPointed }: CardProps) {
  const { name, label, strongest, texts, metrics } = head;
  return (
    <li
      className={isPointed ? "head-card pointed" : "head-card"}
      data-head={name}
      onPointerEnter={(event) => event.pointerType !== "touch" && onPoint(name)}
      onPointerLeave={() => onPoint(null)}
    >
      <h3>
        <a
          href={href(name)}
          onClick={(event) => {
            if (event.metaKey || event.ctrlKey || event.shiftKey) return;
            event.preventDefault();
            onOpen(name);
          }}
        >
          {name}
          {label && (
            <>
              {" · "}
              <bdi>{label.label}</bdi>
            </>
          )}
        </a>
        {metric && (
          <small title={metric.words}>
            {metric.name} <b>{metricValue(metrics[metric.key], metric.unit)}</b>
          </small>
        )}
      </h3>
      {knowing && (
        <p className="knowing">
          <b>{percent(knowing.share)}</b> of what varies in it lies along the text, more than along{" "}
          {percent(knowing.percentile)} of texts
          {knowing.agreement !== null && knowing.agreement < 0 && "; it speaks against it"}
        </p>
      )}
      {strongest && (
        <p className="strongest">
          <span>{factorInWords(strongest)}</span>
          <span className="bar" aria-hidden="true">
            <i
              className={strongest.sign === null ? "none" : strongest.sign > 0 ? "for" : "against"}
              style={{ width: `${100 * strongest.share}%` }}
            />
          </span>
        </p>
      )}
      <ul className="strip">
        {images.map((image) => (
          <li key={image}>
            <CorpusPicture image={image} side={64} lazy />
          </li>
        ))}
      </ul>
      {texts.length > 0 && (
        <ul className="head-texts">
          {texts.slice(0, 3).map((text) => (
            <li key={text}>
              <Said text={text} />
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}
