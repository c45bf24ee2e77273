import type { Schemas } from '@misy/api-client';
import { useSearch } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { api } from '../../api/client.js';
import { usePages } from '../../api/pages.js';
import { useTenant } from '../../frame/tenant.js';
import { Badge, Button, Empty, Page, Time, type Tone } from '../../parts/basics.js';
import { Confirm, Dialog, ShownOnce } from '../../parts/dialog.js';
import { useDone } from '../../parts/done.js';
import { Field, Form, useForm } from '../../parts/form.js';
import { RowMenu } from '../../parts/menu.js';
import { Listed } from '../../parts/table.js';
import { common } from '../../parts/texts.js';
import { useToasts } from '../../parts/toasts.js';
import { useTexts } from '../../words/words.js';
import { texts } from './texts.js';

type Account = Schemas['ChannelAccount'];

/** Accounts of channels, their secrets, and what was delivered. */
export default function Channels(): ReactNode {
  const say = useTexts(texts);
  const { tenantId, can } = useTenant();
  const { new: begins } = useSearch({ from: '/$tenantId' });
  const done = useDone();
  const toasts = useToasts();
  const [edited, setEdited] = useState<Account | 'new' | undefined>(begins ? 'new' : undefined);
  const [rotated, setRotated] = useState<Account>();
  const [watched, setWatched] = useState<Account>();
  const [secret, setSecret] = useState<{ title: string; id: string; secret: string }>();
  const key = [tenantId, 'channels'];
  const accounts = usePages(key, (cursor, signal) => api.call('listChannelAccounts', { path: { tenantId }, query: cursor, signal }));
  const turn = (account: Account, status: Schemas['AccountStatus']) => api.call('changeChannelAccount', { path: { tenantId, accountId: account.accountId }, body: { status } });
  const flip = async (account: Account): Promise<void> => {
    const disables = account.status === 'active';
    try {
      await turn(account, disables ? 'disabled' : 'active');
      done(say(disables ? 'was_disabled' : 'was_enabled'), [key], () => turn(account, account.status));
    } catch (error) {
      toasts.failed(error);
    }
  };
  const rotate = async (account: Account): Promise<void> => {
    const made = await api.call('rotateChannelSecret', { path: { tenantId, accountId: account.accountId }, body: {} });
    done(say('rotated'), [key]);
    setSecret({ title: say('rotated'), id: account.accountId, secret: made.secret });
  };
  return (
    <Page
      title={say('title')}
      about={say('about')}
      actions={
        can('channels:write') && (
          <Button look="primary" icon="plus" onClick={() => setEdited('new')}>
            {say('new')}
          </Button>
        )
      }
    >
      <Listed
        label={say('title')}
        pages={accounts}
        keyOf={({ accountId }) => accountId}
        empty={
          <Empty icon="channels" title={say('none')}>
            {say('none_why')}
          </Empty>
        }
        columns={[
          {
            name: say('name'),
            cell: (account) => (
              <>
                <button type="button" className="link strong" onClick={() => setWatched(account)}>
                  {account.name}
                </button>
                <br />
                <code className="quiet">{account.accountId}</code>
              </>
            ),
          },
          { name: say('callback'), cell: ({ callbackUrl }) => <span className="mono quiet">{callbackUrl}</span> },
          {
            name: say('state'),
            cell: ({ status, disabledReason }) => (
              <>
                <Badge tone={status === 'active' ? 'good' : 'warn'}>{say(status)}</Badge> {disabledReason && <code className="quiet">{disabledReason}</code>}
              </>
            ),
            tight: true,
          },
          { name: say('created'), cell: ({ createdAt }) => <Time at={createdAt} />, tight: true, minor: true },
        ]}
        actions={(account) => (
          <RowMenu
            what={account.name}
            groups={[
              [{ name: say('deliveries'), act: () => setWatched(account) }],
              can('channels:write')
                ? [
                    { name: say('change'), act: () => setEdited(account) },
                    { name: say('rotate'), act: () => setRotated(account) },
                    { name: say(account.status === 'active' ? 'disable' : 'enable'), danger: account.status === 'active', act: () => void flip(account) },
                  ]
                : [],
            ]}
          />
        )}
      />
      {edited && (
        <Edit
          account={edited === 'new' ? undefined : edited}
          onClose={() => setEdited(undefined)}
          onMade={(made) => setSecret({ title: say('made'), id: made.accountId, secret: made.secret ?? '' })}
        />
      )}
      {rotated && (
        <Confirm title={say('rotate')} deed={say('rotate')} harmless act={() => rotate(rotated)} onClose={() => setRotated(undefined)}>
          <p>{say('rotate_why')}</p>
        </Confirm>
      )}
      {secret && (
        <ShownOnce
          title={secret.title}
          secrets={[
            { name: say('id'), text: secret.id },
            { name: say('secret'), text: secret.secret },
          ]}
          onClose={() => setSecret(undefined)}
        />
      )}
      {watched && <Deliveries account={watched} onClose={() => setWatched(undefined)} />}
    </Page>
  );
}

function Edit({ account, onClose, onMade }: { account: Account | undefined; onClose: () => void; onMade: (made: Account) => void }): ReactNode {
  const say = useTexts(texts);
  const all = useTexts(common);
  const { tenantId } = useTenant();
  const done = useDone();
  const isProgram = !account || account.channel === 'api';
  const form = useForm({ name: account?.name ?? '', callbackUrl: account?.callbackUrl ?? '' });
  const submit = async (): Promise<void> => {
    const name = form.value.name.trim();
    const callbackUrl = form.value.callbackUrl.trim();
    const body = isProgram ? { name, callbackUrl } : { name };
    if (account) await api.call('changeChannelAccount', { path: { tenantId, accountId: account.accountId }, body });
    else onMade(await api.call('createChannelAccount', { path: { tenantId }, body: { name, callbackUrl, channel: 'api' } }));
    onClose();
    done(say(account ? 'saved' : 'made'), [[tenantId, 'channels']]);
  };
  return (
    <Dialog title={account ? account.name : say('new')} onClose={onClose}>
      <Form submit={submit}>
        <Field label={say('name')} pointer="/name" {...form.text('name')} />
        {isProgram && <Field label={say('callback')} hint={say('callback_hint')} type="url" pointer="/callbackUrl" {...form.text('callbackUrl')} spellCheck={false} />}
        <Form.Buttons>
          <Button onClick={onClose}>{all('cancel')}</Button>
          <Form.Submit>{account ? all('save') : say('new')}</Form.Submit>
        </Form.Buttons>
      </Form>
    </Dialog>
  );
}

const STANDS: Readonly<Record<string, Tone>> = { sent: 'good', delivered: 'good', read: 'good', failed: 'bad' };

function Deliveries({ account, onClose }: { account: Account; onClose: () => void }): ReactNode {
  const say = useTexts(texts);
  const all = useTexts(common);
  const { tenantId } = useTenant();
  const { accountId } = account;
  const deliveries = usePages(
    [tenantId, 'deliveries', accountId],
    (cursor, signal) => api.call('listDeliveries', { path: { tenantId, accountId }, query: { limit: 20, ...cursor }, signal }),
    { refetchInterval: 10_000 },
  );
  return (
    <Dialog title={`${say('deliveries')}: ${account.name}`} look="wide" onClose={onClose}>
      <Listed
        label={say('deliveries')}
        pages={deliveries}
        keyOf={({ deliveryId }) => deliveryId}
        empty={<Empty icon="channels" title={say('no_deliveries')} />}
        columns={[
          { name: say('message'), cell: ({ messageId }) => <code>{messageId}</code> },
          { name: say('state'), cell: ({ status }) => <Badge tone={STANDS[status] ?? 'calm'}>{status}</Badge>, tight: true },
          { name: say('attempts'), cell: ({ attempts }) => attempts, tight: true },
          { name: say('last_error'), cell: ({ lastError }) => (lastError ? <code>{lastError}</code> : '–') },
          { name: say('next'), cell: ({ nextAttemptAt }) => (nextAttemptAt ? <Time at={nextAttemptAt} /> : '–'), tight: true },
        ]}
      />
      <div className="buttons">
        <Button onClick={onClose}>{all('close')}</Button>
      </div>
    </Dialog>
  );
}
