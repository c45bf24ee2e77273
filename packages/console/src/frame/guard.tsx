import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ComponentType, type FunctionComponent, lazy, type ReactNode, Suspense, useState } from 'react';
import { api } from '../api/client.js';
import { Button, Empty, Page, Skeleton } from '../parts/basics.js';
import { Confirm } from '../parts/dialog.js';
import { common } from '../parts/texts.js';
import { useTexts } from '../words/words.js';
import { type RoomName, ROOMS } from './rooms.js';
import { useTenant } from './tenant.js';
import { frame } from './texts.js';

/** A room that is loaded when somebody enters it, and only for who may. Who may not is told what is missing. */
export function guarded(room: RoomName, load: () => Promise<{ default: ComponentType }>): FunctionComponent {
  const Inside = lazy(load);
  return function Guarded() {
    const { can, needsPrivilege } = useTenant();
    if (ROOMS[room].actions.some(can)) {
      return (
        <Suspense fallback={<Skeleton lines={6} />}>
          <Inside />
        </Suspense>
      );
    }
    return ROOMS[room].actions.some(needsPrivilege) ? <OfTheTenant room={room} /> : <NotYours room={room} />;
  };
}

function NotYours({ room }: { room: RoomName }): ReactNode {
  const say = useTexts(common);
  const name = useTexts(frame);
  const { tenantId } = useTenant();
  return (
    <Page title={name(room)}>
      <Empty
        icon="security"
        title={say('not_yours')}
        action={
          <Link className="button plain" to="/$tenantId" params={{ tenantId }}>
            {say('to_overview')}
          </Link>
        }
      >
        {say('not_yours_why', { actions: ROOMS[room].actions.join(', ') })}
      </Empty>
    </Page>
  );
}

/** For the owner's people: what is in a tenant opens after a privileged operation, with a reason that the tenant sees. */
function OfTheTenant({ room }: { room: RoomName }): ReactNode {
  const say = useTexts(frame);
  const { tenantId, tenant } = useTenant();
  const queries = useQueryClient();
  const [asks, setAsks] = useState(false);
  const name = tenant?.tenantName ?? tenantId;
  const get = async (reason = ''): Promise<void> => {
    await api.call('usePrivilege', { path: { tenantId }, body: { operation: 'support_access', resource: 'tenant', reason } });
    await queries.invalidateQueries({ queryKey: [tenantId] });
  };
  return (
    <Page title={say(room)}>
      <Empty
        icon="security"
        title={say('need_access', { name })}
        action={
          <Button look="primary" onClick={() => setAsks(true)}>
            {say('get_access')}
          </Button>
        }
      >
        {say('need_access_why')}
      </Empty>
      {asks && (
        <Confirm title={say('get_access')} deed={say('get_access')} needsReason harmless act={get} onClose={() => setAsks(false)}>
          <p>{say('need_access_why')}</p>
        </Confirm>
      )}
    </Page>
  );
}
