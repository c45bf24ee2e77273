import type { ReactNode } from 'react';

/** Lines on a grid of 16. */
const PATHS = {
  overview: 'M2.5 2.5h4.5v5h-4.5z M9 2.5h4.5v3h-4.5z M9 8h4.5v5.5h-4.5z M2.5 10h4.5v3.5h-4.5z',
  sites: 'M8 2a6 6 0 1 0 0 12a6 6 0 0 0 0-12z M2 8h12 M8 2c2 2 2.6 4 2.6 6s-.6 4-2.6 6c-2-2-2.6-4-2.6-6s.6-4 2.6-6z',
  inbox: 'M2.5 9.5l2-6.5h7l2 6.5v4h-11z M2.5 9.5h3.2c.2 1.2 1.1 1.8 2.3 1.8s2.1-.6 2.3-1.8h3.2',
  bookings: 'M2.5 3.5h11v10h-11z M2.5 6.5h11 M5.5 2v3 M10.5 2v3 M5.5 9h1 M9.5 9h1 M5.5 11.2h1',
  keys: 'M10.5 2.5a3 3 0 1 1-2.6 4.5L2.5 12.4v1.1h2.2v-1.6h1.6v-1.6h1.2l1-1',
  business: 'M2.5 6.5l1-4h9l1 4 M3.5 7.5v6h9v-6 M6.5 13.5v-3.5h3v3.5 M2.5 6.5c0 1.4 1.8 1.4 1.8 0c0 1.4 1.9 1.4 1.9 0c0 1.4 1.8 1.4 1.8 0c0 1.4 1.8 1.4 1.8 0c0 1.4 1.9 1.4 1.9 0c0 1.4 1.8 1.4 1.8 0',
  channels: 'M2.5 3.5h11v7h-6l-3 2.5v-2.5h-2z',
  team: 'M6 7.5a2.5 2.5 0 1 0 0-5a2.5 2.5 0 0 0 0 5z M1.8 13.5c.2-2.6 1.8-4 4.2-4s4 1.4 4.2 4 M10.5 3a2.2 2.2 0 0 1 0 4.2 M12 9.8c1.4.5 2.1 1.7 2.2 3.7',
  roles: 'M8 2l5 2v4c0 3-2 5-5 6c-3-1-5-3-5-6V4z M5.8 8l1.6 1.6L10.4 6.5',
  audit: 'M3.5 2.5h9v11h-9z M5.5 5.5h5 M5.5 8h5 M5.5 10.5h3',
  work: 'M8 2.5l6 11H2z M8 6.5v3.2 M8 11.6v.2',
  security: 'M4 7h8v6.5H4z M5.5 7V5a2.5 2.5 0 0 1 5 0v2',
  settings: 'M8 5.8a2.2 2.2 0 1 0 0 4.4a2.2 2.2 0 0 0 0-4.4z M8 2v1.8 M8 12.2V14 M2 8h1.8 M12.2 8H14 M3.8 3.8l1.2 1.2 M11 11l1.2 1.2 M12.2 3.8L11 5 M5 11l-1.2 1.2',
  tenants: 'M2.5 13.5v-9l5-2v11 M7.5 6.5h6v7 M2 13.5h12 M4.5 6.5h1 M4.5 9h1 M10 9h1 M10 11h1',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 0 0 0-9z M10.3 10.3l3.2 3.2',
  plus: 'M8 3v10 M3 8h10',
  dots: 'M3 8h.6 M7.7 8h.6 M12.4 8h.6 M3 8.4h.6 M7.7 8.4h.6 M12.4 8.4h.6',
  check: 'M3 8.5l3.2 3.2L13 5',
  cross: 'M4 4l8 8 M12 4l-8 8',
  down: 'M4 6l4 4 4-4',
  right: 'M6 4l4 4-4 4',
  left: 'M10 4L6 8l4 4',
  menu: 'M2.5 4.5h11 M2.5 8h11 M2.5 11.5h11',
  copy: 'M5.5 5.5h8v8h-8z M10.5 5.5v-3h-8v8h3',
  out: 'M6.5 2.5h-4v11h4 M6 8h7.5 M10.5 5l3 3-3 3',
  warning: 'M8 2.5l6 11H2z M8 6.5v3.2 M8 11.6v.2',
  info: 'M8 2a6 6 0 1 0 0 12a6 6 0 0 0 0-12z M8 7.2v3.6 M8 5.1v.1',
  sound: 'M2.5 6h2.5l3.5-3v10l-3.5-3h-2.5z M10.8 5.6a3.4 3.4 0 0 1 0 4.8 M12.6 3.8a6 6 0 0 1 0 8.4',
  silence: 'M2.5 6h2.5l3.5-3v10l-3.5-3h-2.5z M11 6.2l3 3.6 M14 6.2l-3 3.6',
  person: 'M8 8a2.8 2.8 0 1 0 0-5.6A2.8 2.8 0 0 0 8 8z M3 13.8c.3-2.8 2.2-4.3 5-4.3s4.7 1.5 5 4.3',
} as const;

export type IconName = keyof typeof PATHS;

/** A picture beside words that say the same. */
export function Icon({ name }: { name: IconName }): ReactNode {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
