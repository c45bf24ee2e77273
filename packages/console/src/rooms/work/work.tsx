import type { Schemas } from '@misy/api-client';
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { api } from '../../api/client.js';
import { usePages } from '../../api/pages.js';
import { useTenant } from '../../frame/tenant.js';
import { Button, Empty, Page, Section, Time } from '../../parts/basics.js';
import { Confirm } from '../../parts/dialog.js';
import { useDone } from '../../parts/done.js';
import { RowMenu } from '../../parts/menu.js';
import { Listed } from '../../parts/table.js';
import { useToasts } from '../../parts/toasts.js';
import { useTexts } from '../../words/words.js';
import { texts } from './texts.js';
import { Waiting } from './waiting.js';

type Work = Schemas['Work'];

const isKind = (kind: string): kind is 'conversation' | 'delivery' | 'mail' | 'key_rotation' => ['conversation', 'delivery', 'mail', 'key_rotation'].includes(kind);

/** What waits for somebody, and what was given up. */
export default function WorkRoom(): ReactNode {
  const say = useTexts(texts);
  const { can } = useTenant();
  return (
    <Page title={say('title')} about={say('about')}>
      {can('turns:read') && <Waiting />}
      {can('work:read') && <GivenUp />}
    </Page>
  );
}

/** Work that was given up: why, and what can be done with it. */
function GivenUp(): ReactNode {
  const say = useTexts(texts);
  const { tenantId, can } = useTenant();
  const queries = useQueryClient();
  const toasts = useToasts();
  const done = useDone();
  const [drops, setDrops] = useState<Work>();
  const key = [tenantId, 'work'];
  const work = usePages(key, (cursor, signal) => api.call('listWork', { path: { tenantId }, query: cursor, signal }), { refetchInterval: 30_000 });
  const pathOf = ({ kind, workId }: Work) => ({ tenantId, kind, workId });
  const revive = async (one: Work): Promise<void> => {
    try {
      await api.call('reviveWork', { path: pathOf(one) });
      done(say('revived'), [key]);
    } catch (error) {
      toasts.failed(error);
      await queries.invalidateQueries({ queryKey: key });
    }
  };
  const drop = async (one: Work): Promise<void> => {
    await api.call('dropWork', { path: pathOf(one) });
    done(say('dropped'), [key]);
  };
  return (
    <Section title={say('given_up')} about={say('given_up_about')}>
      <Listed
        label={say('given_up')}
        pages={work}
        keyOf={({ kind, workId }) => `${kind}/${workId}`}
        empty={
          <Empty icon="work" title={say('none')}>
            {say('none_why')}
          </Empty>
        }
        columns={[
          {
            name: say('kind'),
            cell: ({ kind, workId }) => (
              <>
                <span className="strong">{isKind(kind) ? say(kind) : kind}</span>
                <br />
                <code className="quiet">{workId}</code>
              </>
            ),
          },
          {
            name: say('meaning'),
            cell: ({ meaning, lastError, attempts }) => (
              <>
                {meaning}
                <br />
                <span className="quiet">
                  {say('attempts', { count: attempts })}
                  {lastError && (
                    <>
                      {' · '}
                      <code>{lastError}</code>
                    </>
                  )}
                </span>
              </>
            ),
          },
          { name: say('when'), cell: ({ deadAt }) => <Time at={deadAt} />, tight: true },
          ...(can('work:write') ? [{ name: say('revive'), cell: (one: Work) => <Button onClick={() => void revive(one)}>{say('revive')}</Button>, tight: true }] : []),
        ]}
        actions={can('work:write') ? (one) => <RowMenu what={one.workId} groups={[[{ name: say('drop'), danger: true, act: () => setDrops(one) }]]} /> : undefined}
      />
      {drops && (
        <Confirm title={say('drop_title')} deed={say('drop')} act={() => drop(drops)} onClose={() => setDrops(undefined)}>
          <p>{say('drop_why')}</p>
        </Confirm>
      )}
    </Section>
  );
}
