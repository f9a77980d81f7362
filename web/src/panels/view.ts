import type { App, ModelDetail } from "../state/api.ts";
import type { Navigate, ViewState } from "../state/url.ts";

/** What every view is given: the address, what it defaults to, and how to change it. */
export interface ViewProps {
  readonly state: ViewState;
  readonly go: Navigate;
  readonly app: App;
  readonly model: ModelDetail;
  /** The image of the address, or the example. */
  readonly image: string;
  /** The texts of the address, or the example's. */
  readonly texts: readonly string[];
  /** Whether the corpus of the address can be searched with this model. */
  readonly ready: boolean;
}
