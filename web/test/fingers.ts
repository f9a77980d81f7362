import type { Page } from "playwright-core";

/** What a phone is to a browser. */
export const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

/** What a finger hits, in CSS pixels each way (WCAG 2.2, 2.5.5). */
export const FINGER = 44;

/** As much of a browser's elements as is used here: tests that know no browser's types import this file too. */
interface Element {
  readonly tagName: string;
  readonly textContent: string;
  closest(selector: string): Element | null;
  matches(selector: string): boolean;
  getAttribute(name: string): string | null;
  getBoundingClientRect(): { readonly width: number; readonly height: number };
  checkVisibility(options: { readonly visibilityProperty: boolean }): boolean;
}

/**
 * The controls in sight that are smaller than a finger needs, each by what it is, what it says and its size. A box or a dot to tick is as
 * large as its label. Left out are links within running text, whose lines are as high as lines are, the points of the scatter, each of which
 * is a square and a card of the same view too, and what lies out of sight for those who read with their ears.
 */
export const tooSmall = (page: Page): Promise<string[]> =>
  page.locator("a[href], button, input:not(.hidden), select, textarea, summary, [role='button']").evaluateAll(
    (all, least) =>
      (all as unknown as Element[]).flatMap((one) => {
        const target = one.matches("[type='checkbox'], [type='radio']") ? (one.closest("label") ?? one) : one;
        const { width, height } = target.getBoundingClientRect();
        const isHidden = width <= 1 || !one.checkVisibility({ visibilityProperty: true });
        const isInText = one.matches("p a, small a, dd a");
        if (isHidden || isInText || one.closest(".scatter")) return [];
        if (Math.min(width, height) >= least - 0.01) return [];
        const said = one.getAttribute("aria-label") ?? one.textContent;
        return [
          `${one.tagName.toLowerCase()} “${said.slice(0, 40)}” ${width.toFixed(0)} × ${height.toFixed(0)}`,
        ];
      }),
    FINGER,
  );
