/** What the app can show, in the order of its links. Apart from addresses, so that what knows no React can name them. */
export const VIEWS = ["look", "segment", "neighbors", "heads", "reports"] as const;
export type View = (typeof VIEWS)[number];
