/**
 * The head that a key leads to from another, where squares are laid out by layer with the last on top: one tab stop for all of them.
 * Undefined at an edge; null for keys that lead nowhere.
 */
export function keyLeadsTo(
  key: string,
  unit: number,
  layers: number,
  heads: number,
): number | undefined | null {
  const layer = Math.floor(unit / heads);
  const head = unit % heads;
  const to: Record<string, number | undefined> = {
    ArrowLeft: head > 0 ? unit - 1 : undefined,
    ArrowRight: head < heads - 1 ? unit + 1 : undefined,
    ArrowUp: layer < layers - 1 ? unit + heads : undefined,
    ArrowDown: layer > 0 ? unit - heads : undefined,
    Home: layer * heads,
    End: layer * heads + heads - 1,
  };
  return key in to ? to[key] : null;
}
