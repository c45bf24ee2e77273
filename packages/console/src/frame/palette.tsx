import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, type ReactNode, useDeferredValue, useId, useState } from 'react';
import { api } from '../api/client.js';
import { Dialog } from '../parts/dialog.js';
import { Icon, type IconName } from '../parts/icon.js';
import { useTexts } from '../words/words.js';
import { type RoomName, ROOM_NAMES, ROOMS } from './rooms.js';
import { type Action, useTenant } from './tenant.js';
import { frame } from './texts.js';
import { useSignOut } from './signed-in.js';
import { choose, THEMES } from './theme.js';

interface Entry {
  id: string;
  group: string;
  name: string;
  about?: string;
  icon: IconName;
  act: () => void;
}

/** Deeds that begin with an open form in a room. */
const DEEDS = [
  ['new_booking', 'bookings', 'bookings:write'],
  ['new_site', 'sites', 'sites:write'],
  ['new_key', 'keys', 'keys:write'],
  ['new_user', 'team', 'users:write'],
  ['new_channel', 'channels', 'channels:write'],
  ['new_tenant', 'tenants', 'tenants:create'],
] as const satisfies readonly (readonly [string, RoomName, Action])[];

const plain = (text: string): string => text.toLowerCase().normalize('NFD').replace(/\p{M}/gu, '');

/** Goes anywhere and begins anything by name. */
export function Palette({ onClose }: { onClose: () => void }): ReactNode {
  const say = useTexts(frame);
  const id = useId();
  const { tenantId, can, needsPrivilege, me } = useTenant();
  const navigate = useNavigate();
  const signOut = useSignOut();
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState(0);
  const wanted = useDeferredValue(typed.trim());
  const isOwner = can('tenants:list') || me.tenantId !== tenantId;
  const tenants = useQuery({
    queryKey: ['tenants', 'palette', wanted],
    queryFn: ({ signal }) => api.call('listTenants', { query: { limit: 8, ...(wanted && { q: wanted }) }, signal }),
    enabled: isOwner,
  });
  const rooms: Entry[] = ROOM_NAMES.filter((room) => ROOMS[room].actions.some((action) => can(action) || needsPrivilege(action))).map((room) => ({
    id: `room-${room}`,
    group: say('palette_rooms'),
    name: say(room),
    icon: ROOMS[room].icon,
    act: () => void navigate({ to: ROOMS[room].path, params: { tenantId } }),
  }));
  const deeds: Entry[] = DEEDS.filter(([, , action]) => can(action)).map(([name, room]) => ({
    id: name,
    group: say('palette_deeds'),
    name: say(name),
    icon: 'plus',
    act: () => void navigate({ to: ROOMS[room].path, params: { tenantId }, search: { new: true } }),
  }));
  const others: Entry[] = (tenants.data?.items ?? []).map((tenant) => ({
    id: `tenant-${tenant.tenantId}`,
    group: say('palette_tenants'),
    name: tenant.tenantName,
    about: tenant.tenantId,
    icon: 'tenants',
    act: () => void navigate({ to: '/$tenantId', params: { tenantId: tenant.tenantId } }),
  }));
  const preferences: Entry[] = [
    ...THEMES.map((theme): Entry => ({ id: theme, group: say('palette_preferences'), name: say(`theme_${theme}`), icon: 'settings', act: () => choose(theme) })),
    { id: 'account', group: say('palette_preferences'), name: say('my_account'), icon: 'person', act: () => location.assign('/account') },
    { id: 'out', group: say('palette_preferences'), name: say('sign_out'), icon: 'out', act: signOut },
  ];
  const fits = ({ name, about = '' }: Entry): boolean => plain(`${name} ${about}`).includes(plain(typed.trim()));
  const entries = [...rooms, ...deeds, ...others, ...preferences].filter(fits);
  const chosen = Math.min(at, entries.length - 1);
  const run = (entry: Entry | undefined): void => {
    if (!entry) return;
    onClose();
    entry.act();
  };
  const press = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) setAt((chosen + step + entries.length) % Math.max(1, entries.length));
    else if (event.key === 'Enter') run(entries[chosen]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title={say('palette')} look="top" onClose={onClose}>
      <div className="palette-search">
        <Icon name="search" />
        <input
          role="combobox"
          aria-expanded="true"
          aria-controls={`${id}-list`}
          aria-activedescendant={entries[chosen] && `${id}-${entries[chosen].id}`}
          aria-label={say('search')}
          placeholder={say('search')}
          autoComplete="off"
          spellCheck={false}
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            setAt(0);
          }}
          onKeyDown={press}
        />
      </div>
      <ul id={`${id}-list`} role="listbox" aria-label={say('palette')} className="palette-list">
        {entries.map((entry, place) => (
          <li key={entry.id} role="presentation">
            {entries[place - 1]?.group !== entry.group && (
              <p className="nav-title" aria-hidden="true">
                {entry.group}
              </p>
            )}
            <div
              id={`${id}-${entry.id}`}
              role="option"
              aria-selected={place === chosen}
              className="palette-entry"
              ref={(element) => {
                if (place === chosen) element?.scrollIntoView({ block: 'nearest' });
              }}
              onPointerMove={() => setAt(place)}
              onClick={() => run(entry)}
            >
              <Icon name={entry.icon} />
              <span>{entry.name}</span>
              {entry.about && <span className="quiet mono">{entry.about}</span>}
            </div>
          </li>
        ))}
      </ul>
      {entries.length === 0 && <p className="quiet palette-none">{say('palette_none')}</p>}
    </Dialog>
  );
}
