import { useState } from "react";
import { type ExportSet, save, svgToPngBlob } from "../exports/save.ts";

/** Downloads of a view: a picture, a table, the data, each with what it is of. */
export function Exports({ name, make }: { name: string; make: () => ExportSet }) {
  const [failed, setFailed] = useState(false);
  const run = async (kind: "png" | "svg" | "csv" | "json") => {
    setFailed(false);
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
      setFailed(true);
    }
  };
  return (
    <div className="exports" role="group" aria-label="Download this view">
      <span>Download:</span>
      {(["png", "svg", "csv", "json"] as const).map((kind) => (
        <button type="button" key={kind} onClick={() => void run(kind)}>
          {kind.toUpperCase()}
        </button>
      ))}
      {failed && <span role="alert">That could not be made; try again.</span>}
    </div>
  );
}
