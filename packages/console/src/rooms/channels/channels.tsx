import type { Schemas } from '@misy/api-client';
import { useSearch } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { api } from '../../api/client.js';
import { usePages } from '../../api/pages.js';
import { useTenant } from '../../frame/tenant.js';
import { Button, Empty, Page, Time } from '../../parts/basics.js';
import { Confirm, ShownOnce } from '../../parts/dialog.js';
import { useDone } from '../../parts/done.js';
import { type MenuItem, RowMenu } from '../../parts/menu.js';
import { Listed } from '../../parts/table.js';
import { useToasts } from '../../parts/toasts.js';
import { useTexts } from '../../words/words.js';
import { Details, Edit } from './account.js';
import { Connect, Renew } from './connect.js';
import { type Check, Health, State } from './health.js';
import { type Account, isKind, isVendorKind, vendorOf } from './kinds.js';
import { texts } from './texts.js';

/** What is done with one account, in a dialog of its own. */
interface Open {
  deed: 'details' | 'edit' | 'rotate' | 'renew' | 'disconnect';
  account: Account;
}

/** Something that is shown once. */
interface Once {
  title: string;
  secrets: { name: string; text: string }[];
  next?: string;
}

/** Accounts of channels: how they stand, what they are let in with, and what was delivered. */
export default function Channels(): ReactNode {
  const say = useTexts(texts);
  const { tenantId, can } = useTenant();
  const { new: begins } = useSearch({ from: '/$tenantId' });
  const done = useDone();
  const toasts = useToasts();
  const [connects, setConnects] = useState(begins ?? false);
  const [open, setOpen] = useState<Open>();
  const [once, setOnce] = useState<Once>();
  const [checks, setChecks] = useState<ReadonlyMap<string, Check>>(new Map());
  const key = [tenantId, 'channels'];
  const accounts = usePages(key, (cursor, signal) => api.call('listChannelAccounts', { path: { tenantId }, query: cursor, signal }));
  const close = (): void => setOpen(undefined);
  const pathOf = ({ accountId }: Account) => ({ tenantId, accountId });

  const turn = async (account: Account, status: Schemas['AccountStatus']): Promise<void> => {
    await api.call('changeChannelAccount', { path: pathOf(account), body: { status } });
    done(say(`is_${status}`), [key], () => api.call('changeChannelAccount', { path: pathOf(account), body: { status: account.status } }));
  };
  const turnNow = (account: Account, status: Schemas['AccountStatus']): void => void turn(account, status).catch(toasts.failed);
  const rotate = async (account: Account): Promise<void> => {
    const made = await api.call('rotateChannelSecret', { path: pathOf(account), body: {} });
    done(say('rotated'), [key]);
    setOnce({ title: say('rotated'), secrets: secretsOf(account.accountId, made.secret) });
  };
  const note = ({ accountId }: Account, check: Check | undefined): void =>
    setChecks((before) => {
      const next = new Map(before);
      if (check) next.set(accountId, check);
      else next.delete(accountId);
      return next;
    });
  const check = async (account: Account): Promise<void> => {
    note(account, 'asked');
    try {
      note(account, await api.call('testChannelAccount', { path: pathOf(account) }));
    } catch (error) {
      note(account, undefined);
      toasts.failed(error);
    }
  };
  const secretsOf = (id: string, secret: string): Once['secrets'] => [
    { name: say('id'), text: id },
    { name: say('secret'), text: secret },
  ];
  const made = (account: Account): void => {
    const vendor = vendorOf(account);
    if (vendor) {
      const secrets = [
        { name: say('webhook'), text: vendor.webhookUrl },
        { name: say('verify_token'), text: vendor.verifyToken ?? '' },
      ];
      setOnce({ title: say('connected'), secrets, next: say('connected_why', { kind: say(vendor.kind) }) });
    } else {
      setOnce({ title: say('made'), secrets: secretsOf(account.accountId, account.secret ?? '') });
    }
  };

  const deeds = (account: Account): MenuItem[][] => {
    const opens = (deed: Open['deed']) => () => setOpen({ deed, account });
    const details = [{ name: say('details'), act: opens('details') }];
    if (!can('channels:write')) return [details];
    const { status } = account;
    const isVendor = isVendorKind(account.channel);
    return [
      [...details, ...(isVendor ? [{ name: say('check'), act: () => void check(account) }] : [])],
      [
        { name: say('change'), act: opens('edit') },
        isVendor ? { name: say('renew'), act: opens('renew') } : { name: say('rotate'), act: opens('rotate') },
      ],
      [
        ...(status === 'active' ? [{ name: say('pause'), act: () => turnNow(account, 'paused') }] : []),
        ...(status === 'paused' ? [{ name: say('resume'), act: () => turnNow(account, 'active') }] : []),
        status === 'disabled' ? { name: say('reconnect'), act: () => turnNow(account, 'active') } : { name: say('disconnect'), danger: true, act: opens('disconnect') },
      ],
    ];
  };

  return (
    <Page
      title={say('title')}
      about={say('about')}
      actions={
        can('channels:write') && (
          <Button look="primary" icon="plus" onClick={() => setConnects(true)}>
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
                <button type="button" className="link strong" onClick={() => setOpen({ deed: 'details', account })}>
                  {account.name}
                </button>
                <br />
                <span className="quiet">{isKind(account.channel) ? say(account.channel) : account.channel}</span>
              </>
            ),
          },
          { name: say('state'), cell: (account) => <State account={account} /> },
          {
            name: say('health'),
            cell: (account) => (
              <Health
                account={account}
                check={checks.get(account.accountId)}
                ask={can('channels:write') ? () => void check(account) : undefined}
                watch={() => setOpen({ deed: 'details', account })}
              />
            ),
          },
          { name: say('created'), cell: ({ createdAt }) => <Time at={createdAt} />, tight: true, minor: true },
        ]}
        actions={(account) => <RowMenu what={account.name} groups={deeds(account)} />}
      />
      {connects && <Connect onClose={() => setConnects(false)} onMade={made} />}
      {open?.deed === 'details' && <Details account={open.account} onClose={close} />}
      {open?.deed === 'edit' && <Edit account={open.account} onClose={close} />}
      {open?.deed === 'renew' && isVendorKind(open.account.channel) && <Renew account={open.account} kind={open.account.channel} onClose={close} />}
      {open?.deed === 'rotate' && (
        <Confirm title={say('rotate')} deed={say('rotate')} harmless act={() => rotate(open.account)} onClose={close}>
          <p>{say('rotate_why')}</p>
        </Confirm>
      )}
      {open?.deed === 'disconnect' && (
        <Confirm title={say('disconnect_title', { name: open.account.name })} deed={say('disconnect')} act={() => turn(open.account, 'disabled')} onClose={close}>
          <p>{say('disconnect_why')}</p>
        </Confirm>
      )}
      {once && (
        <ShownOnce title={once.title} secrets={once.secrets} onClose={() => setOnce(undefined)}>
          {once.next && <p>{once.next}</p>}
        </ShownOnce>
      )}
    </Page>
  );
}
