import type { Schemas } from '@misy/api-client';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { api } from '../../api/client.js';
import { useTenant } from '../../frame/tenant.js';
import { Button, Card, Code, Page, Problem, Section, Skeleton } from '../../parts/basics.js';
import { Confirm } from '../../parts/dialog.js';
import { useDone } from '../../parts/done.js';
import { Area, Choices, Field, Form, linesOf, useForm } from '../../parts/form.js';
import { Icon } from '../../parts/icon.js';
import { common } from '../../parts/texts.js';
import { useTexts, useWriting } from '../../words/words.js';
import { isPermission, PERMISSIONS, permissionTexts } from '../permissions.js';
import { texts } from './texts.js';

/** One site: how to put the chat there, whether it was seen there, where it may be. */
export default function Site(): ReactNode {
  const say = useTexts(texts);
  const { tenantId, can } = useTenant();
  const { siteId = '' } = useParams({ strict: false });
  const key = [tenantId, 'sites', siteId];
  const site = useQuery({ queryKey: key, queryFn: () => api.request('readSite', { path: { tenantId, siteId } }) });
  return (
    <Page
      title={site.data?.data.name.trim() ? site.data.data.name : siteId}
      about={
        <Link className="link" to="/$tenantId/sites" params={{ tenantId }}>
          ← {say('title')}
        </Link>
      }
    >
      {site.error && <Problem error={site.error} again={() => void site.refetch()} />}
      {site.isPending && <Skeleton />}
      {site.data && (
        <>
          <Snippet siteId={siteId} />
          <Settings key={site.data.etag} site={site.data.data} etag={site.data.etag} />
          {can('sites:write') && <Danger siteId={siteId} />}
        </>
      )}
    </Page>
  );
}

function Snippet({ siteId }: { siteId: string }): ReactNode {
  const say = useTexts(texts);
  const { tenantId, can } = useTenant();
  const keys = useQuery({ queryKey: [tenantId, 'keys', 'all'], queryFn: () => api.list('listKeys', { path: { tenantId } }), enabled: can('keys:read') });
  const now = Date.now();
  const key = keys.data?.find((one) => one.siteId === siteId && one.kind === 'publishable' && one.mode === 'live' && !one.revokedAt && !(one.expiresAt && Date.parse(one.expiresAt) < now));
  const ofSite = siteId === 'main' ? '' : ` data-site-id="${siteId}"`;
  const text = `<script src="${location.origin}/sdk/misy.js"\n        data-tenant-id="${tenantId}"${ofSite} data-public-key="${key ? `${key.prefix}…` : 'pk_live_…'}" defer></script>`;
  return (
    <Section title={say('snippet')} about={say('snippet_why')}>
      <Seen siteId={siteId} />
      <Code text={text} />
      {keys.data && !key ? (
        <p className="notice warn">
          <Icon name="warning" />
          <span>{say('no_key')}</span>
          {can('keys:write') && (
            <Link className="link" to="/$tenantId/keys" params={{ tenantId }} search={{ new: true }}>
              {say('make_key')}
            </Link>
          )}
        </p>
      ) : (
        <p className="hint">{say('key_hint')}</p>
      )}
    </Section>
  );
}

const LOOKS_AGAIN = 4000;

/** Whether a page of the site has asked for the chat, and whether one was turned away. */
function Seen({ siteId }: { siteId: string }): ReactNode {
  const say = useTexts(texts);
  const write = useWriting();
  const { tenantId, can } = useTenant();
  const byTrail = can('audit:read');
  const trail = useQuery({
    queryKey: [tenantId, 'seen', siteId],
    queryFn: async () => {
      const look = (filter: { siteId: string; outcome: string } | { outcome: string }) =>
        api.call('listAudit', { path: { tenantId }, query: { action: 'mintToken', limit: 1, ...filter } });
      const [seen, refused] = await Promise.all([look({ siteId, outcome: 'ok' }), look({ outcome: 'origin_not_allowed' })]);
      return { seen: seen.items[0], refused: refused.items[0] };
    },
    enabled: byTrail,
    refetchInterval: ({ state }) => (state.data?.seen ? false : LOOKS_AGAIN),
  });
  const usage = useQuery({
    queryKey: [tenantId, 'usage', 'sites'],
    queryFn: () => api.call('readUsage', { path: { tenantId }, query: { groupBy: 'site' } }),
    enabled: !byTrail && can('usage:read'),
    refetchInterval: LOOKS_AGAIN,
  });
  if (!byTrail && !can('usage:read')) return null;
  const used = usage.data?.items.find(({ group, kind }) => group === siteId && kind === 'messages');
  const { seen, refused } = trail.data ?? {};
  if (byTrail ? trail.isPending : usage.isPending) return <Skeleton lines={1} />;
  const isSeen = seen !== undefined || used !== undefined;
  const isNewer = refused !== undefined && (!seen || refused.at > seen.at);
  return (
    <div role="status">
      <div className={isSeen ? 'seen yes' : 'seen'}>
        <span className="pulse" aria-hidden="true" />
        <div>
          <p className="strong">{say(isSeen ? 'seen' : 'not_seen')}</p>
          <p className="quiet">
            {seen && say('seen_at', { when: write.ago(seen.at), origin: seen.origin ?? '–' })}
            {used && say('messages_seen', { count: used.amount })}
            {!isSeen && say('not_seen_why')}
          </p>
        </div>
      </div>
      {isNewer && (
        <p className="notice warn">
          <Icon name="warning" />
          <span>
            <strong>{say('refused')}.</strong> {say('refused_why', { origin: refused.origin ?? '–', when: write.ago(refused.at) })}
          </span>
        </p>
      )}
    </div>
  );
}

function Settings({ site, etag }: { site: Schemas['Site']; etag: string | undefined }): ReactNode {
  const say = useTexts(texts);
  const all = useTexts(common);
  const permission = useTexts(permissionTexts);
  const { tenantId, can } = useTenant();
  const done = useDone();
  const form = useForm({ name: site.name, origins: site.origins.join('\n'), permissions: site.permissions.filter(isPermission) });
  const path = { tenantId, siteId: site.siteId };
  const submit = async (): Promise<void> => {
    const { name, origins, permissions } = form.value;
    const saved = await api.request('changeSite', { path, body: { name: name.trim(), origins: linesOf(origins), permissions }, ...(etag && { ifMatch: etag }) });
    const before = { name: site.name, origins: site.origins, permissions: site.permissions };
    done(say('saved'), [[tenantId, 'sites']], () => api.call('changeSite', { path, body: before, ...(saved.etag && { ifMatch: saved.etag }) }));
  };
  const isOpen = can('sites:write');
  return (
    <Section title={say('origins')}>
      <Card>
        <Form submit={submit}>
          <fieldset className="bare" disabled={!isOpen}>
            <Field label={say('name')} pointer="/name" {...form.text('name')} />
            <Area label={say('origins')} hint={say('origins_hint')} pointer="/origins" {...form.text('origins')} rows={4} mono />
            <Choices
              label={say('permissions')}
              pointer="/permissions"
              value={form.value.permissions}
              onChange={(permissions) => form.set('permissions', permissions)}
              options={PERMISSIONS.filter((one) => one !== 'tenant:manage').map((one) => ({ value: one, name: permission(one) }))}
            />
          </fieldset>
          {isOpen && (
            <Form.Buttons>
              <Form.Submit>{all('save')}</Form.Submit>
            </Form.Buttons>
          )}
        </Form>
      </Card>
    </Section>
  );
}

function Danger({ siteId }: { siteId: string }): ReactNode {
  const say = useTexts(texts);
  const { tenantId } = useTenant();
  const done = useDone();
  const navigate = useNavigate();
  const [asks, setAsks] = useState(false);
  const remove = async (): Promise<void> => {
    await api.call('deleteSite', { path: { tenantId, siteId } });
    done(say('deleted'), [[tenantId, 'sites'], [tenantId, 'keys']]);
    await navigate({ to: '/$tenantId/sites', params: { tenantId } });
  };
  return (
    <Section title={say('danger')}>
      <Button look="danger" onClick={() => setAsks(true)}>
        {say('delete')}
      </Button>
      {asks && (
        <Confirm title={say('delete')} deed={say('delete')} word={siteId} act={remove} onClose={() => setAsks(false)}>
          <p>{say('delete_why')}</p>
        </Confirm>
      )}
    </Section>
  );
}
