import type { MouseEvent } from "react";
import type { AtlasHeadResult } from "../../state/api.ts";
import type { ViewState } from "../../state/url.ts";
import type { ViewProps } from "../view.ts";

/** What makes a link that stays in the app. */
export type LinkTo = (change: Partial<ViewState>) => {
  readonly href: string;
  readonly onClick: (event: MouseEvent) => void;
};

/** What every part of a head's page is drawn from. */
export interface PageProps {
  readonly state: ViewProps["state"];
  readonly go: ViewProps["go"];
  readonly page: AtlasHeadResult;
  readonly steps: number;
  readonly linkTo: LinkTo;
}
