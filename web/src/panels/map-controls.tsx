import type { Navigate, ViewState } from "../state/url.ts";

/** How strongly a map covers the picture, and whether patches are shown as they are. */
export function MapControls({ state, go }: { state: ViewState; go: Navigate }) {
  return (
    <div className="map-controls">
      <label>
        map over picture{" "}
        <input
          type="range"
          min={0}
          max={100}
          step={5}
          value={state.opacity}
          aria-valuetext={`${state.opacity} per cent`}
          onChange={(event) => go({ opacity: Number(event.target.value) }, { replace: true })}
        />
      </label>
      <label>
        <input
          type="checkbox"
          checked={state.squares}
          onChange={(event) => go({ squares: event.target.checked }, { replace: true })}
        />{" "}
        show patches as they are
      </label>
    </div>
  );
}
