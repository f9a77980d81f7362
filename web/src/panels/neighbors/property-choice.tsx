import type { Properties } from "../../state/api.ts";
import { hitsInWords, inWords, isNoBetter } from "../../state/know.ts";

/** A name for heads. */
export type Property = Properties["properties"][number];

/** Which property is shared, and how well its heads find it. */
export function PropertyChoice(props: {
  properties: readonly Property[];
  chosen: Property | undefined;
  onChoose: (name: string) => void;
}) {
  const { properties, chosen, onChoose } = props;
  const failing = properties.filter(isNoBetter);
  const optionOf = (property: Property) => (
    <option key={property.name} value={property.name}>
      {property.name}
      {property.precision && ` – ${hitsInWords(property.precision)}`}
    </option>
  );
  return (
    <div className="property">
      <label>
        property{" "}
        <select
          value={chosen?.name ?? ""}
          disabled={properties.length === 0}
          onChange={(event) => onChoose(event.target.value)}
        >
          {chosen === undefined && <option value="">none is known yet</option>}
          {properties.filter((property) => !isNoBetter(property)).map(optionOf)}
          {failing.length > 0 && <optgroup label="no better than chance">{failing.map(optionOf)}</optgroup>}
        </select>
      </label>
      {chosen?.precision && (
        <p className="property-facts" data-testid="property-facts">
          {inWords(chosen.name)}: <strong>{hitsInWords(chosen.precision)}</strong>
          {isNoBetter(chosen) && <strong>: no better than chance</strong>}. On average over pictures that
          these heads were not chosen on, so many of the {chosen.precision.k} nearest share it
          {chosen.heads.some(({ weight }) => weight < 0) &&
            "; a head that speaks against what it sees is taken negatively"}
          .
        </p>
      )}
    </div>
  );
}
