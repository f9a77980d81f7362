import type { ViewProps } from "../view.ts";

const ASKED = {
  property: "pictures that share a property with this one",
  image: "pictures that some heads find like this one",
  text: "pictures that some heads find fitting a text",
} as const;
type Kind = keyof typeof ASKED;

interface Props {
  readonly by: Kind;
  readonly go: ViewProps["go"];
  /** Why nothing can be found by property; null where it can. */
  readonly noProperty: string | null;
}

/** What is looked for. */
export function Kinds({ by, go, noProperty }: Props) {
  return (
    <fieldset className="modes">
      <legend>Find</legend>
      {(Object.keys(ASKED) as Kind[]).map((kind) => (
        <label key={kind}>
          <input
            type="radio"
            name="by"
            checked={by === kind}
            disabled={kind === "property" && noProperty !== null}
            onChange={() => go({ by: kind })}
          />{" "}
          {ASKED[kind]}
          {kind === "property" && noProperty !== null && ` (${noProperty})`}
        </label>
      ))}
    </fieldset>
  );
}
