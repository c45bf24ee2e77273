import { createRootRoute, createRoute, createRouter, Link, Navigate, Outlet } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Frame } from './frame/frame.js';
import { guarded } from './frame/guard.js';
import { useMe } from './frame/signed-in.js';
import { frame } from './frame/texts.js';
import { Button, Empty, Page } from './parts/basics.js';
import { common } from './parts/texts.js';
import { useTexts } from './words/words.js';

/** What an address may ask of a room: to begin with its form for something new. */
interface Search {
  new?: true;
}

const validateSearch = (search: Record<string, unknown>): Search => (search.new === true ? { new: true } : {});

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound, errorComponent: Broken });
const home = createRoute({ getParentRoute: () => root, path: '/', component: Home });
const tenant = createRoute({ getParentRoute: () => root, path: '$tenantId', component: Frame, validateSearch });
const within = () => tenant;

/** One room, whichever conversation is open in it: so the list stays as it is. */
const inbox = createRoute({ getParentRoute: within, path: 'inbox', component: guarded('inbox', () => import('./rooms/inbox/inbox.js')) });
const opened = createRoute({ getParentRoute: () => inbox, path: '$conversationId' });

const rooms = [
  createRoute({ getParentRoute: within, path: '/', component: guarded('overview', () => import('./rooms/overview/overview.js')) }),
  inbox.addChildren([opened]),
  createRoute({ getParentRoute: within, path: 'bookings', component: guarded('bookings', () => import('./rooms/bookings/bookings.js')) }),
  createRoute({ getParentRoute: within, path: 'sites', component: guarded('sites', () => import('./rooms/sites/sites.js')) }),
  createRoute({ getParentRoute: within, path: 'sites/$siteId', component: guarded('sites', () => import('./rooms/sites/site.js')) }),
  createRoute({ getParentRoute: within, path: 'keys', component: guarded('keys', () => import('./rooms/keys/keys.js')) }),
  createRoute({ getParentRoute: within, path: 'business', component: guarded('business', () => import('./rooms/business/business.js')) }),
  createRoute({ getParentRoute: within, path: 'channels', component: guarded('channels', () => import('./rooms/channels/channels.js')) }),
  createRoute({ getParentRoute: within, path: 'work', component: guarded('work', () => import('./rooms/work/work.js')) }),
  createRoute({ getParentRoute: within, path: 'tenants', component: guarded('tenants', () => import('./rooms/tenants/tenants.js')) }),
  createRoute({ getParentRoute: within, path: 'team', component: guarded('team', () => import('./rooms/team/team.js')) }),
  createRoute({ getParentRoute: within, path: 'roles', component: guarded('roles', () => import('./rooms/roles/roles.js')) }),
  createRoute({ getParentRoute: within, path: 'audit', component: guarded('audit', () => import('./rooms/audit/audit.js')) }),
];

export const router = createRouter({
  routeTree: root.addChildren([home, tenant.addChildren(rooms)]),
  basepath: '/console',
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}

function Home(): ReactNode {
  const { tenantId } = useMe();
  return <Navigate to="/$tenantId" params={{ tenantId }} replace />;
}

function NotFound(): ReactNode {
  const say = useTexts(common);
  return (
    <Page title={say('not_found')}>
      <Empty
        icon="search"
        title={say('not_found')}
        action={
          <Link className="button plain" to="/">
            {say('to_overview')}
          </Link>
        }
      >
        {say('not_found_why')}
      </Empty>
    </Page>
  );
}

/** A room that cannot be shown: most likely it belongs to a build that is not served any more. */
function Broken(): ReactNode {
  const say = useTexts(frame);
  return (
    <main className="alone">
      <Empty
        icon="warning"
        title={say('out_of_date')}
        action={
          <Button look="primary" onClick={() => location.reload()}>
            {say('reload')}
          </Button>
        }
      >
        {say('out_of_date_why')}
      </Empty>
    </main>
  );
}
