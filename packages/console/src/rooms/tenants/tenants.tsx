import type { Schemas } from '@misy/api-client';
import { Link, useSearch } from '@tanstack/react-router';
import { type ReactNode, useDeferredValue, useState } from 'react';
import { api } from '../../api/client.js';
import { usePages } from '../../api/pages.js';
import { useTenant } from '../../frame/tenant.js';
import { Badge, Button, Empty, Page, Section, Time, type Tone } from '../../parts/basics.js';
import { Confirm, Dialog, ShownOnce } from '../../parts/dialog.js';
import { useDone } from '../../parts/done.js';
import { Field, Form, Select, useForm } from '../../parts/form.js';
import { RowMenu } from '../../parts/menu.js';
import { Listed } from '../../parts/table.js';
import { common } from '../../parts/texts.js';
import { useTexts, useWriting } from '../../words/words.js';
import { texts } from './texts.js';

type Tenant = Schemas['Tenant'];
type Status = Schemas['TenantStatus'];
type Deed = 'suspend' | 'activate' | 'close';

const STATES: Record<Status, Tone> = { active: 'good', suspended: 'warn', closed: 'bad' };

/** All tenants, for the owner's people. */
export default function Tenants(): ReactNode {
  const say = useTexts(texts);
  const { can } = useTenant();
  const { new: begins } = useSearch({ from: '/$tenantId' });
  const [adds, setAdds] = useState(begins ?? false);
  const [made, setMade] = useState<Schemas['RegistrationAnswer']>();
  const [asked, setAsked] = useState<{ deed: Deed; tenant: Tenant }>();
  const filter = useForm<{ q: string; status: Status | '' }>({ q: '', status: '' });
  const q = useDeferredValue(filter.value.q.trim());
  const { status } = filter.value;
  const tenants = usePages(['tenants', q, status], (cursor, signal) => api.call('listTenants', { query: { ...cursor, ...(q && { q }), ...(status && { status }) }, signal }));
  const deeds = (tenant: Tenant): Deed[] => (tenant.isOwner ? [] : tenant.status === 'active' ? ['suspend', 'close'] : tenant.status === 'suspended' ? ['activate', 'close'] : ['activate']);
  return (
    <Page
      title={say('title')}
      about={say('about')}
      actions={
        can('tenants:create') && (
          <Button look="primary" icon="plus" onClick={() => setAdds(true)}>
            {say('new')}
          </Button>
        )
      }
    >
      <div className="filters">
        <Field label={say('find')} type="search" {...filter.text('q')} />
        <Select
          label={say('state')}
          value={status}
          onChange={(chosen) => filter.set('status', chosen)}
          options={[['', say('any')], ['active', say('active')], ['suspended', say('suspended')], ['closed', say('closed')]]}
        />
      </div>
      <Listed
        label={say('title')}
        pages={tenants}
        keyOf={({ tenantId }) => tenantId}
        empty={<Empty icon="tenants" title={say('none')} />}
        columns={[
          {
            name: say('name'),
            cell: (tenant) => (
              <>
                <Link className="strong" to="/$tenantId" params={{ tenantId: tenant.tenantId }}>
                  {tenant.tenantName}
                </Link>{' '}
                {tenant.isOwner && <Badge>{say('owner')}</Badge>}
                <br />
                <code className="quiet">{tenant.tenantId}</code>
              </>
            ),
          },
          { name: say('state'), cell: (tenant) => <Badge tone={STATES[tenant.status]}>{say(tenant.status)}</Badge>, tight: true },
          { name: say('plan'), cell: ({ plan }) => plan, tight: true },
          { name: say('created'), cell: ({ createdAt }) => <Time at={createdAt} />, tight: true, minor: true },
        ]}
        actions={(tenant) => <RowMenu what={tenant.tenantName} groups={[deeds(tenant).map((deed) => ({ name: say(deed), danger: deed !== 'activate', act: () => setAsked({ deed, tenant }) }))]} />}
      />
      <Privileges />
      {adds && (
        <NewTenant
          onClose={() => setAdds(false)}
          onMade={(answer) => {
            setAdds(false);
            setMade(answer);
          }}
        />
      )}
      {made && (
        <ShownOnce
          title={say('made')}
          secrets={[
            { name: say('enrolment'), text: made.enrollment.url },
            { name: say('public_key'), text: made.publishableKey.key },
            { name: say('secret'), text: `${made.tenantSecret.keyId}\n${made.tenantSecret.secret}` },
          ]}
          onClose={() => setMade(undefined)}
        />
      )}
      {asked && <Ask {...asked} onClose={() => setAsked(undefined)} />}
    </Page>
  );
}

/** Suspends, activates or closes a tenant, with a reason that both trails keep. */
function Ask({ deed, tenant, onClose }: { deed: Deed; tenant: Tenant; onClose: () => void }): ReactNode {
  const say = useTexts(texts);
  const write = useWriting();
  const done = useDone();
  const path = { tenantId: tenant.tenantId };
  const changed = [['tenants'], [tenant.tenantId]];
  const act = async (reason: string | undefined): Promise<void> => {
    const body = reason ? { reason } : {};
    if (deed === 'close') {
      const { purgeAt } = (await api.call('closeTenant', { path, body })).notice;
      done(say('was_closed', { when: purgeAt ? write.day(purgeAt) : '–' }), changed, () => api.call('activateTenant', { path, body }));
    } else if (deed === 'suspend') {
      await api.call('suspendTenant', { path, body });
      done(say('was_suspended'), changed, () => api.call('activateTenant', { path, body }));
    } else {
      await api.call('activateTenant', { path, body });
      done(say('was_activated'), changed);
    }
  };
  return (
    <Confirm title={`${say(deed)}: ${tenant.tenantName}`} deed={say(deed)} needsReason harmless={deed === 'activate'} word={deed === 'close' ? tenant.tenantId : undefined} act={act} onClose={onClose}>
      <p>{say(`${deed}_why`)}</p>
    </Confirm>
  );
}

function NewTenant({ onClose, onMade }: { onClose: () => void; onMade: (made: Schemas['RegistrationAnswer']) => void }): ReactNode {
  const say = useTexts(texts);
  const all = useTexts(common);
  const done = useDone();
  const form = useForm({ tenantName: '', tenantId: '', contactEmail: '', websiteUrl: '', businessIndustry: '' });
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const submit = async (): Promise<void> => {
    const { tenantId, ...rest } = form.value;
    const made = await api.call('createTenant', { body: { ...rest, ...(tenantId.trim() && { tenantId: tenantId.trim() }) }, idempotencyKey });
    done(say('made'), [['tenants']]);
    onMade(made);
  };
  return (
    <Dialog title={say('new')} onClose={onClose}>
      <Form submit={submit}>
        <Field label={say('name')} pointer="/tenantName" {...form.text('tenantName')} />
        <Field label={say('id')} hint={say('id_hint')} pointer="/tenantId" optional {...form.text('tenantId')} spellCheck={false} autoCapitalize="none" />
        <Field label={say('email')} type="email" pointer="/contactEmail" {...form.text('contactEmail')} />
        <Field label={say('website')} type="url" pointer="/websiteUrl" {...form.text('websiteUrl')} placeholder="https://" />
        <Field label={say('industry')} pointer="/businessIndustry" {...form.text('businessIndustry')} />
        <Form.Buttons>
          <Button onClick={onClose}>{all('cancel')}</Button>
          <Form.Submit>{say('new')}</Form.Submit>
        </Form.Buttons>
      </Form>
    </Dialog>
  );
}

/** What privileged operations the owner's people ran. */
function Privileges(): ReactNode {
  const say = useTexts(texts);
  const { tenantId, can } = useTenant();
  const isOpen = can('privilege:read');
  const used = usePages([tenantId, 'privilege'], (cursor, signal) => api.call('listPrivilege', { path: { tenantId }, query: { limit: 20, ...cursor }, signal }), { enabled: isOpen });
  if (!isOpen) return null;
  return (
    <div className="after-list">
      <Section title={say('privilege')}>
        <Listed
          label={say('privilege')}
          pages={used}
          keyOf={({ grantId }) => grantId}
          empty={<p className="quiet">{say('privilege_none')}</p>}
          columns={[
            { name: say('operation'), cell: ({ operation, resource }) => `${operation} · ${resource}` },
            { name: say('name'), cell: (one) => <code className="quiet">{one.tenantId}</code>, tight: true },
            { name: say('reason'), cell: ({ reason }) => reason },
            { name: say('when'), cell: ({ usedAt }) => <Time at={usedAt} />, tight: true },
          ]}
        />
      </Section>
    </div>
  );
}
