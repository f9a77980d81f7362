import { useState } from "react";
import type { Recipe } from "../exports/command.ts";
import { copyText } from "../exports/copy.ts";
import { type ExportSet, save, svgToPngBlob } from "../exports/save.ts";
import { fileUrl, type ImageInfo } from "../state/api.ts";
import { formatAddress, type Settled } from "../state/url.ts";

interface Props {
  readonly name: string;
  readonly state: Settled;
  /** The picture, where the view is of one. */
  readonly image?: string | undefined;
  readonly known?: ImageInfo | undefined;
  readonly command: Recipe;
  /** Files of it; without it none are offered. */
  readonly make?: () => ExportSet;
}

/** A view taken along: as a file, a link, a command, a program; each says what it is of. */
export function Exports({ name, state, image, known, command, make }: Props) {
  const [said, setSaid] = useState<"failed" | "link" | "command" | "code" | null>(null);
  const run = async (kind: "png" | "svg" | "csv" | "json") => {
    setSaid(null);
    if (!make) return;
    try {
      const { svg, csv, json } = make();
      const text = (content: string, type: string) => new Blob([content], { type });
      const blob = {
        png: () => svg().then(svgToPngBlob),
        svg: () => svg().then((drawn) => text(drawn, "image/svg+xml")),
        csv: async () => text(csv(), "text/csv"),
        json: async () => text(`${JSON.stringify(await json(), null, 1)}\n`, "application/json"),
      };
      save(`clip-interpret-${name}.${kind}`, await blob[kind]());
    } catch {
      setSaid("failed");
    }
  };
  const copy = (what: "link" | "command" | "code") => {
    const link = new URL(formatAddress({ ...state, tour: 0 }), document.baseURI).href;
    const text = { link, command: command.command, code: command.code }[what];
    copyText(text).then(
      () => setSaid(what),
      () => setSaid("failed"),
    );
  };
  return (
    <section className="exports" aria-label="Take this view along">
      {make && (
        <div className="buttons" role="group" aria-label="Download this view">
          <span>Download</span>
          {(["png", "svg", "csv", "json"] as const).map((kind) => (
            <button type="button" key={kind} onClick={() => void run(kind)}>
              {kind.toUpperCase()}
            </button>
          ))}
        </div>
      )}
      <div className="buttons" role="group" aria-label="Copy this view">
        <span>Copy</span>
        <button
          type="button"
          onClick={() => copy("link")}
          title="An address that shows this, here and on other servers"
        >
          Copy link
        </button>
        <button type="button" onClick={() => copy("command")} title="Command lines that give these numbers">
          Copy as command
        </button>
        <button type="button" onClick={() => copy("code")} title="TypeScript that gives these numbers">
          Copy as code
        </button>
      </div>
      <p className="said" role="status">
        {said === "failed" && "That could not be made; try again."}
        {said === "link" && "The link is copied: it names model, picture and texts."}
        {(said === "command" || said === "code") && (
          <>
            Copied.
            {command.file !== null && image !== undefined && known && (
              <>
                {" "}
                It reads{" "}
                <a href={fileUrl(image)} download={command.file}>
                  {command.file}
                </a>{" "}
                from where it is run.
              </>
            )}
          </>
        )}
      </p>
    </section>
  );
}
