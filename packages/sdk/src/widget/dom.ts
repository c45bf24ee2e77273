import { page } from '../core/page.js';

type Child = Node | string | null | undefined | false;

/**
 * Makes an element. Attributes with `false` or `undefined` are left out, `true` is written as empty; `on…` functions
 * become listeners. Text only ever becomes text nodes: nothing a message says can turn into markup.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | number | boolean | undefined | ((event: never) => void)> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = page.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value as EventListener);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

// Outlines on a 24 × 24 grid, drawn with the current text colour.
const ICONS = {
  chat: 'M12 3.5c-5 0-9 3.4-9 7.7 0 2.4 1.3 4.6 3.3 6L5.5 21l4.2-2.1c.7.2 1.5.3 2.3.3 5 0 9-3.6 9-8s-4-7.7-9-7.7Z M8 11.3h.01 M12 11.3h.01 M16 11.3h.01',
  clip: 'M19 11l-8 8a5 5 0 0 1-7-7l8-8a3 3 0 0 1 5 5l-8 8a1 1 0 0 1-2-2l7-7',
  close: 'M6 6l12 12 M18 6L6 18',
  down: 'M6 9l6 6 6-6',
  send: 'M12 19V5.5 M6 11l6-6 6 6',
  person: 'M12 11.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8Z M4.5 20.5c.6-3.8 3.7-6 7.5-6s6.9 2.2 7.5 6',
  spark: 'M11 4l1.9 5.1L18 11l-5.1 1.9L11 18l-1.9-5.1L4 11l5.1-1.9Z M18.5 16v4 M16.5 18h4',
  source: 'M6 4.5h9l3.5 3.5v11.5H6Z M9 12h6 M9 15.5h6',
} as const;

type IconName = keyof typeof ICONS;

/** A picture that says nothing to screen readers; the control around it carries the name. */
export function icon(name: string, path: string = ICONS[name as IconName]): SVGElement {
  const svg = page.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', `icon icon-${name}`);
  const line = page.createElementNS(SVG, 'path');
  line.setAttribute('d', path);
  svg.append(line);
  return svg;
}
