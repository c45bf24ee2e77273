import type { IconName } from '../parts/icon.js';
import type { Action } from './tenant.js';

/** A room of the console. */
export interface Room {
  path: '/$tenantId' | `/$tenantId/${string}`;
  icon: IconName;
  /** Any of these opens it. */
  actions: readonly Action[];
  group: 'start' | 'set_up' | 'people' | 'watch' | 'platform';
}

/** All rooms, as they stand in the navigation. */
export const ROOMS = {
  overview: { path: '/$tenantId', icon: 'overview', actions: ['tenant:read'], group: 'start' },
  inbox: { path: '/$tenantId/inbox', icon: 'inbox', actions: ['conversations:read'], group: 'start' },
  bookings: { path: '/$tenantId/bookings', icon: 'bookings', actions: ['bookings:read'], group: 'start' },
  sites: { path: '/$tenantId/sites', icon: 'sites', actions: ['sites:read'], group: 'set_up' },
  keys: { path: '/$tenantId/keys', icon: 'keys', actions: ['keys:read', 'secrets:read'], group: 'set_up' },
  business: { path: '/$tenantId/business', icon: 'business', actions: ['context-pack:read'], group: 'set_up' },
  channels: { path: '/$tenantId/channels', icon: 'channels', actions: ['channels:read'], group: 'set_up' },
  team: { path: '/$tenantId/team', icon: 'team', actions: ['users:read'], group: 'people' },
  roles: { path: '/$tenantId/roles', icon: 'roles', actions: ['roles:read'], group: 'people' },
  audit: { path: '/$tenantId/audit', icon: 'audit', actions: ['audit:read'], group: 'watch' },
  work: { path: '/$tenantId/work', icon: 'work', actions: ['work:read', 'turns:read'], group: 'watch' },
  tenants: { path: '/$tenantId/tenants', icon: 'tenants', actions: ['tenants:list'], group: 'platform' },
} as const satisfies Record<string, Room>;

export type RoomName = keyof typeof ROOMS;

export const ROOM_NAMES: readonly RoomName[] = Object.keys(ROOMS).filter((name): name is RoomName => name in ROOMS);
export const GROUPS: readonly Room['group'][] = ['start', 'set_up', 'people', 'watch', 'platform'];
