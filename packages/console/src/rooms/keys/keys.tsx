import type { Schemas } from '@misy/api-client';
import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { api } from '../../api/client.js';
import { usePages } from '../../api/pages.js';
import { useTenant } from '../../frame/tenant.js';
import { Badge, Button, Empty, Page, Section, Time } from '../../parts/basics.js';
import { Confirm, Dialog, ShownOnce } from '../../parts/dialog.js';
import { useDone } from '../../parts/done.js';
import { Area, Field, Form, linesOf, Select, useForm } from '../../parts/form.js';
import { RowMenu } from '../../parts/menu.js';
import { Listed } from '../../parts/table.js';
import { common } from '../../parts/texts.js';
import { useTexts, useWriting } from '../../words/words.js';
import { Secrets } from './secrets.js';
import { texts } from './texts.js';

/** What pages and servers of a tenant identify themselves with. */
export default function Keys(): ReactNode {
  const say = useTexts(texts);
  const { can } = useTenant();
  return (
    <Page title={say('title')} about={say('about')}>
      {can('keys:read') && <Publishable />}
      {can('secrets:read') && <Secrets />}
      {can('tokens:revoke') && <RevokeAll />}
    </Page>
  );
}

function Publishable(): ReactNode {
  const say = useTexts(texts);
  const { tenantId, can } = useTenant();
  const { new: begins } = useSearch({ from: '/$tenantId' });
  const [adds, setAdds] = useState(begins ?? false);
  const [made, setMade] = useState<Schemas['Key']>();
  const [revokes, setRevokes] = useState<Schemas['Key']>();
  const [showsAll, setShowsAll] = useState(false);
  const pages = usePages([tenantId, 'keys'], (cursor, signal) => api.call('listKeys', { path: { tenantId }, query: cursor, signal }));
  const shown = { ...pages, items: pages.items.filter((key) => showsAll || !key.revokedAt) };
  const kinds = { publishable: say('publishable'), secret: say('secret_kind'), administrator: say('administrator') };
  const mayRevoke = ({ kind }: Schemas['Key']): boolean => can('keys:write') || (kind === 'administrator' && can('administrator-keys:revoke'));
  return (
    <Section
      title={say('keys')}
      about={say('keys_about')}
      actions={
        can('keys:write') && (
          <Button look="primary" icon="plus" onClick={() => setAdds(true)}>
            {say('new_key')}
          </Button>
        )
      }
    >
      <Listed
        label={say('keys')}
        pages={shown}
        keyOf={({ keyId }) => keyId}
        empty={<Empty icon="keys" title={say('no_keys')} />}
        columns={[
          {
            name: say('name'),
            cell: (key) => (
              <>
                <span className="strong">{key.name || kinds[key.kind]}</span>
                <br />
                <code className="quiet">{key.prefix}…</code>
              </>
            ),
          },
          { name: say('site'), cell: ({ siteId }) => siteId ?? '–' },
          { name: say('mode'), cell: ({ mode }) => <Badge tone={mode === 'live' ? 'good' : 'calm'}>{say(mode)}</Badge>, tight: true },
          { name: say('state'), cell: (key) => <State {...key} />, tight: true },
          { name: say('created'), cell: ({ createdAt }) => <Time at={createdAt} />, tight: true, minor: true },
        ]}
        actions={(key) =>
          mayRevoke(key) && !key.revokedAt ? <RowMenu what={key.name || key.prefix} groups={[[{ name: say('revoke'), danger: true, act: () => setRevokes(key) }]]} /> : null
        }
      />
      {pages.items.some((key) => key.revokedAt) && (
        <label className="check">
          <input type="checkbox" checked={showsAll} onChange={(event) => setShowsAll(event.target.checked)} />
          {say('show_revoked')}
        </label>
      )}
      {adds && (
        <NewKey
          onClose={() => setAdds(false)}
          onMade={(key) => {
            setAdds(false);
            setMade(key);
          }}
        />
      )}
      {made && <Made made={made} onClose={() => setMade(undefined)} />}
      {revokes && <Revoke revoked={revokes} onClose={() => setRevokes(undefined)} />}
    </Section>
  );
}

/** Whether something that expires or is revoked counts now. */
export function State({ revokedAt, expiresAt }: { revokedAt?: string | null; expiresAt?: string | null }): ReactNode {
  const say = useTexts(texts);
  const write = useWriting();
  if (revokedAt) return <Badge>{say('revoked')}</Badge>;
  if (expiresAt && Date.parse(expiresAt) < Date.now()) return <Badge>{say('expired')}</Badge>;
  if (expiresAt) return <Badge tone="warn">{say('until', { when: write.day(expiresAt) })}</Badge>;
  return <Badge tone="good">{say('in_force')}</Badge>;
}

interface Filled {
  name: string;
  siteId: string;
  mode: Schemas['KeyMode'];
  origins: string;
}

function NewKey({ onClose, onMade }: { onClose: () => void; onMade: (key: Schemas['Key']) => void }): ReactNode {
  const say = useTexts(texts);
  const all = useTexts(common);
  const { tenantId, can } = useTenant();
  const done = useDone();
  const sites = useQuery({ queryKey: [tenantId, 'sites', 'all'], queryFn: () => api.list('listSites', { path: { tenantId } }), enabled: can('sites:read') });
  const form = useForm<Filled>({ name: '', siteId: '', mode: 'live', origins: '' });
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const known = sites.data?.map(({ siteId, name }) => [siteId, name || siteId] as const) ?? [];
  const siteId = form.value.siteId || (known[0]?.[0] ?? 'main');
  const submit = async (): Promise<void> => {
    const { name, mode, origins } = form.value;
    const only = linesOf(origins);
    const body = { siteId, mode, ...(name.trim() && { name: name.trim() }), ...(only.length > 0 && { origins: only }) };
    const key = await api.call('createKey', { path: { tenantId }, body, idempotencyKey });
    done(say('made_key'), [[tenantId, 'keys']]);
    onMade(key);
  };
  return (
    <Dialog title={say('new_key')} onClose={onClose}>
      <Form submit={submit}>
        <Field label={say('name')} pointer="/name" optional {...form.text('name')} />
        {known.length > 0 ? (
          <Select label={say('site')} pointer="/siteId" value={siteId} onChange={(chosen) => form.set('siteId', chosen)} options={known} />
        ) : (
          <Field label={say('site')} pointer="/siteId" value={siteId} onChange={(typed) => form.set('siteId', typed)} />
        )}
        <Select label={say('mode')} pointer="/mode" value={form.value.mode} onChange={(mode) => form.set('mode', mode)} options={[['live', say('live')], ['test', say('test')]]} />
        <Area label={say('narrowed')} hint={say('narrowed_hint')} pointer="/origins" {...form.text('origins')} rows={2} mono />
        <Form.Buttons>
          <Button onClick={onClose}>{all('cancel')}</Button>
          <Form.Submit>{say('new_key')}</Form.Submit>
        </Form.Buttons>
      </Form>
    </Dialog>
  );
}

function Made({ made, onClose }: { made: Schemas['Key']; onClose: () => void }): ReactNode {
  const say = useTexts(texts);
  const { tenantId } = useTenant();
  const key = made.key ?? '';
  const ofSite = made.siteId && made.siteId !== 'main' ? ` data-site-id="${made.siteId}"` : '';
  const snippet = `<script src="${location.origin}/sdk/misy.js"\n        data-tenant-id="${tenantId}"${ofSite} data-public-key="${key}" defer></script>`;
  return (
    <ShownOnce
      title={say('made_key')}
      secrets={[
        { name: say('your_key'), text: key },
        { name: say('your_snippet'), text: snippet },
      ]}
      onClose={onClose}
    />
  );
}

function Revoke({ revoked, onClose }: { revoked: Schemas['Key']; onClose: () => void }): ReactNode {
  const say = useTexts(texts);
  const { tenantId, can, needsReason } = useTenant();
  const done = useDone();
  const [tokens, setTokens] = useState(false);
  const revoke = async (reason: string | undefined): Promise<void> => {
    await api.call('revokeKey', { path: { tenantId, keyId: revoked.keyId }, query: { tokens: tokens ? 'revoke' : 'keep' }, ...(reason && { reason }) });
    done(say('was_revoked'), [[tenantId, 'keys']]);
  };
  const name = revoked.name || revoked.prefix;
  return (
    <Confirm title={say('revoke_key', { name })} deed={say('revoke')} needsReason={!can('keys:write') && needsReason('administrator-keys:revoke')} act={revoke} onClose={onClose}>
      <p>{say('revoke_key_why')}</p>
      <label className="check">
        <input type="checkbox" checked={tokens} onChange={(event) => setTokens(event.target.checked)} />
        {say('revoke_tokens')}
      </label>
    </Confirm>
  );
}

function RevokeAll(): ReactNode {
  const say = useTexts(texts);
  const { tenantId, needsReason } = useTenant();
  const done = useDone();
  const [asks, setAsks] = useState(false);
  const revoke = async (reason: string | undefined): Promise<void> => {
    await api.call('revokeAllTokens', { path: { tenantId }, body: reason ? { reason } : {} });
    done(say('revoked_all'), [[tenantId]]);
  };
  return (
    <Section title={say('revoke_all')} about={say('revoke_all_about')}>
      <Button look="danger" onClick={() => setAsks(true)}>
        {say('revoke_all')}
      </Button>
      {asks && (
        <Confirm title={say('revoke_all')} deed={say('revoke_all')} word={tenantId} needsReason={needsReason('tokens:revoke')} act={revoke} onClose={() => setAsks(false)}>
          <p>{say('revoke_all_about')}</p>
        </Confirm>
      )}
    </Section>
  );
}
