import { MisyProblem } from '@misy/api-client';
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useParams, useRouterState } from '@tanstack/react-router';
import { type ReactNode, useEffect, useMemo, useState } from 'react';
import { api } from '../api/client.js';
import { Button, Empty, Problem, Skeleton } from '../parts/basics.js';
import { Confirm, Dialog } from '../parts/dialog.js';
import { Icon } from '../parts/icon.js';
import { Menu } from '../parts/menu.js';
import { LANGUAGES, type Language } from '../words/language.js';
import { useLanguage, useTexts } from '../words/words.js';
import { Palette } from './palette.js';
import { GROUPS, ROOM_NAMES, ROOMS } from './rooms.js';
import { Suspended, useMe, useSignOut } from './signed-in.js';
import { type AtTenant, TenantContext, useTenant } from './tenant.js';
import { frame } from './texts.js';
import { choose, type Theme, theme, THEMES } from './theme.js';

/** Everything around the rooms of one tenant. */
export function Frame(): ReactNode {
  const { tenantId = '' } = useParams({ strict: false });
  const me = useMe();
  const isHome = me.tenantId === tenantId;
  const access = useQuery({ queryKey: [tenantId, 'access'], queryFn: () => api.call('readMyAccess', { query: { tenantId } }), retry: false });
  const mayRead = access.data?.items.some(({ action }) => action === 'tenant:read') ?? false;
  const record = useQuery({ queryKey: [tenantId, 'tenant'], queryFn: () => api.call('readTenant', { path: { tenantId } }), enabled: mayRead, retry: false });
  const at = useMemo((): AtTenant | undefined => {
    if (!access.data) return undefined;
    const abilities = new Map(access.data.items.map((ability) => [ability.action, ability]));
    return {
      tenantId,
      me,
      isHome,
      tenant: record.data,
      can: (action) => abilities.get(action)?.needsPrivilege === false,
      needsReason: (action) => abilities.get(action)?.needsReason ?? false,
      needsPrivilege: (action) => abilities.get(action)?.needsPrivilege ?? false,
    };
  }, [access.data, record.data, tenantId, me, isHome]);
  if (isHome && access.error instanceof MisyProblem && access.error.code === 'tenant_suspended') return <Suspended />;
  if (access.error) return <Nowhere error={access.error} again={() => void access.refetch()} />;
  if (!at) return <Loading />;
  return (
    <TenantContext value={at}>
      <Shell>{isHome && record.error instanceof MisyProblem && record.error.code === 'tenant_suspended' ? <Closed /> : <Outlet />}</Shell>
    </TenantContext>
  );
}

const Loading = (): ReactNode => (
  <main className="alone">
    <Skeleton />
  </main>
);

function Nowhere({ error, again }: { error: unknown; again: () => void }): ReactNode {
  const say = useTexts(frame);
  const { tenantId } = useMe();
  return (
    <main className="alone">
      <Problem error={error} again={again} />
      <Link className="button plain" to="/$tenantId" params={{ tenantId }}>
        {say('back_home')}
      </Link>
    </main>
  );
}

/** What an administrator of a closed organisation sees. */
function Closed(): ReactNode {
  const say = useTexts(frame);
  const { tenantId, can } = useTenant();
  const [asks, setAsks] = useState(false);
  const reopen = async (): Promise<void> => {
    await api.call('reopenTenant', { path: { tenantId }, body: {} });
    location.reload();
  };
  return (
    <>
      <h1 className="hidden">{say('closed')}</h1>
      <Empty
        icon="warning"
        title={say('closed')}
        action={
          can('tenant:reopen') && (
            <Button look="primary" onClick={() => setAsks(true)}>
              {say('reopen')}
            </Button>
          )
        }
      >
        {say('closed_why')}
      </Empty>
      {asks && (
        <Confirm title={say('reopen')} deed={say('reopen')} harmless act={reopen} onClose={() => setAsks(false)}>
          {null}
        </Confirm>
      )}
    </>
  );
}

function Shell({ children }: { children: ReactNode }): ReactNode {
  const say = useTexts(frame);
  const { tenantId, tenant, isHome, me } = useTenant();
  const [searches, setSearches] = useState(false);
  const [shows, setShows] = useState(false);
  const path = useRouterState({ select: ({ location }) => location.pathname });
  useEffect(() => setShows(false), [path]);
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || document.querySelector('dialog[open]:not(.top)')) return;
      event.preventDefault();
      setSearches((before) => !before);
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
  const search = (): void => setSearches(true);
  return (
    <div className="shell">
      <a className="skip" href="#content">
        {say('skip')}
      </a>
      <header className="top-bar">
        <button type="button" className="icon-button" aria-label={say('open_navigation')} onClick={() => setShows(true)}>
          <Icon name="menu" />
        </button>
        <span className="top-name">{tenant?.tenantName ?? tenantId}</span>
        <button type="button" className="icon-button" aria-label={say('search')} onClick={search}>
          <Icon name="search" />
        </button>
      </header>
      <aside className="side" aria-label={tenant?.tenantName ?? tenantId}>
        <Side search={search} />
      </aside>
      {shows && (
        <Dialog title={say('navigation')} look="drawer" onClose={() => setShows(false)}>
          <Side search={search} />
        </Dialog>
      )}
      <main id="content" className="content" tabIndex={-1}>
        {!isHome && (
          <p className="notice warn elsewhere">
            <Icon name="info" />
            <span>{say('elsewhere', { name: tenant?.tenantName ?? tenantId })}</span>
            <Link className="link" to="/$tenantId" params={{ tenantId: me.tenantId }}>
              {say('back_home')}
            </Link>
          </p>
        )}
        {children}
      </main>
      {searches && <Palette onClose={() => setSearches(false)} />}
    </div>
  );
}

/** Which tenant, the search, the rooms that the person may enter, and their own menu. */
function Side({ search }: { search: () => void }): ReactNode {
  const say = useTexts(frame);
  const { tenantId, tenant, me, can, needsPrivilege } = useTenant();
  const name = tenant?.tenantName ?? tenantId;
  const isOpen = (room: (typeof ROOM_NAMES)[number]): boolean => ROOMS[room].actions.some((action) => can(action) || needsPrivilege(action));
  return (
    <>
      <div className="side-head">
        {can('tenants:list') || me.tenantId !== tenantId ? (
          <button type="button" className="tenant-switch" onClick={search}>
            <Mark name={name} />
            <span>
              <span className="hidden">{say('switch_tenant')} </span>
              {name}
            </span>
            <Icon name="down" />
          </button>
        ) : (
          <p className="tenant-switch">
            <Mark name={name} />
            <span>{name}</span>
          </p>
        )}
        <button type="button" className="search-button" onClick={search}>
          <Icon name="search" />
          <span>{say('search')}</span>
          <kbd aria-hidden="true">{/Mac|iPhone|iPad/.test(navigator.userAgent) ? '⌘K' : 'Ctrl K'}</kbd>
        </button>
      </div>
      <nav aria-label={say('navigation')}>
        {GROUPS.map((group) => {
          const rooms = ROOM_NAMES.filter((room) => ROOMS[room].group === group && isOpen(room));
          if (rooms.length === 0) return null;
          const title = say(`group_${group}`);
          return (
            <div key={group} className="nav-group">
              {title && <p className="nav-title">{title}</p>}
              <ul>
                {rooms.map((room) => (
                  <li key={room}>
                    <Link to={ROOMS[room].path} params={{ tenantId }} className="nav-link" activeOptions={{ exact: room === 'overview' }}>
                      <Icon name={ROOMS[room].icon} />
                      {say(room)}
                    </Link>
                  </li>
                ))}
              </ul>
            </div>
          );
        })}
      </nav>
      <Account />
    </>
  );
}

/** A letter in a square, for a name. */
export const Mark = ({ name }: { name: string }): ReactNode => (
  <span className="mark" aria-hidden="true">
    {String.fromCodePoint(name.codePointAt(0) ?? 0x2d).toUpperCase()}
  </span>
);

function Account(): ReactNode {
  const say = useTexts(frame);
  const { me } = useTenant();
  const signOut = useSignOut();
  const { language, choose: chooseLanguage } = useLanguage();
  const [now, setNow] = useState(theme);
  const pick = (chosen: Theme): void => {
    choose(chosen);
    setNow(chosen);
  };
  const languages = Object.entries(LANGUAGES).map(([code, name]) => ({ code, name }));
  const isLanguage = (code: string): code is Language => code in LANGUAGES;
  return (
    <div className="side-foot">
      <Menu
        side="top"
        align="start"
        groups={[
          [{ name: say('my_account'), icon: 'person', act: () => location.assign('/account') }],
          languages.map(({ code, name }) => ({ name, chosen: code === language, act: () => isLanguage(code) && chooseLanguage(code) })),
          THEMES.map((one) => ({ name: say(`theme_${one}`), chosen: one === now, act: () => pick(one) })),
          [
            { name: say('sign_out'), icon: 'out', act: signOut },
          ],
        ]}
      >
        <button type="button" className="account-button">
          <Mark name={me.user.name} />
          <span className="account-name">
            <span>
              <span className="hidden">{say('account')} </span>
              {me.user.name}
            </span>
            <span className="quiet">{me.user.email}</span>
          </span>
        </button>
      </Menu>
    </div>
  );
}
