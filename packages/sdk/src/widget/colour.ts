/** Red, green and blue, 0 to 255. */
export type Colour = readonly [number, number, number];

export const WHITE: Colour = [255, 255, 255];
export const BLACK: Colour = [0, 0, 0];

/** Reads `#rgb`, `#rrggbb` and what `getComputedStyle` answers; undefined for anything else and for see-through colours. */
export function parseColour(text: string): Colour | undefined {
  const short = /^#([\da-f])([\da-f])([\da-f])$/i.exec(text);
  if (short) return triple(short.slice(1).map((digit) => parseInt(digit + digit, 16)));
  const long = /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(text);
  if (long) return triple(long.slice(1).map((pair) => parseInt(pair, 16)));
  const [red, green, blue, alpha = 1] = (/^rgba?\(([^)]*)\)$/.exec(text)?.[1] ?? '').split(/[\s,/]+/).map(Number);
  return alpha < 0.5 ? undefined : triple([red, green, blue]);
}

function triple(channels: readonly (number | undefined)[]): Colour | undefined {
  const [red = NaN, green = NaN, blue = NaN] = channels;
  return Number.isFinite(red + green + blue) ? [red, green, blue] : undefined;
}

export const css = (colour: Colour): string => `rgb(${colour.map(Math.round).join(' ')})`;

/** `share` of `other` in `colour`, from 0 to 1. */
export function mix(colour: Colour, other: Colour, share: number): Colour {
  const channel = (index: 0 | 1 | 2): number => colour[index] * (1 - share) + other[index] * share;
  return [channel(0), channel(1), channel(2)];
}

/** Relative luminance, WCAG 2.2. */
export function luminance(colour: Colour): number {
  const linear = (value: number): number => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2]);
}

/** Contrast ratio, WCAG 2.2: 1 to 21. */
export function contrast(one: Colour, other: Colour): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** White if it can be read on `background`, else black: one of them always can. */
export const textOn = (background: Colour): Colour => (contrast(WHITE, background) >= 4.5 ? WHITE : BLACK);

/** `colour`, moved towards black or white until text in it can be read on `background`. */
export function readable(colour: Colour, background: Colour, ratio = 4.5): Colour {
  const end = textOn(background);
  for (let share = 0; share < 1; share += 0.05) {
    const shade = mix(colour, end, share);
    if (contrast(shade, background) >= ratio) return shade;
  }
  return end;
}
