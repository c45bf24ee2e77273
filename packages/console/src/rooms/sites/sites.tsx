import type { Schemas } from '@misy/api-client';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { api } from '../../api/client.js';
import { usePages } from '../../api/pages.js';
import { useTenant } from '../../frame/tenant.js';
import { Button, Empty, Page, Time } from '../../parts/basics.js';
import { Dialog } from '../../parts/dialog.js';
import { useDone } from '../../parts/done.js';
import { Area, Field, Form, linesOf, useForm } from '../../parts/form.js';
import { Listed } from '../../parts/table.js';
import { common } from '../../parts/texts.js';
import { useTexts } from '../../words/words.js';
import { texts } from './texts.js';

/** The sites of a tenant. */
export default function Sites(): ReactNode {
  const say = useTexts(texts);
  const { tenantId, can } = useTenant();
  const { new: begins } = useSearch({ from: '/$tenantId' });
  const [adds, setAdds] = useState(begins ?? false);
  const sites = usePages([tenantId, 'sites'], (cursor, signal) => api.call('listSites', { path: { tenantId }, query: cursor, signal }));
  const add = can('sites:write') && (
    <Button look="primary" icon="plus" onClick={() => setAdds(true)}>
      {say('new')}
    </Button>
  );
  return (
    <Page title={say('title')} about={say('about')} actions={add}>
      <Listed
        label={say('title')}
        pages={sites}
        keyOf={({ siteId }) => siteId}
        empty={
          <Empty icon="sites" title={say('none')}>
            {say('none_why')}
          </Empty>
        }
        columns={[
          {
            name: say('name'),
            cell: (site) => (
              <Link className="strong" to="/$tenantId/sites/$siteId" params={{ tenantId, siteId: site.siteId }}>
                {nameOf(site)}
              </Link>
            ),
          },
          { name: say('origins'), cell: ({ origins }) => <Origins origins={origins} /> },
          { name: say('created'), cell: ({ createdAt }) => <Time at={createdAt} />, tight: true, minor: true },
        ]}
      />
      {adds && <NewSite onClose={() => setAdds(false)} />}
    </Page>
  );
}

const nameOf = (site: Schemas['Site']): string => site.name || site.siteId;

function Origins({ origins }: { origins: readonly string[] }): ReactNode {
  return (
    <ul className="plain-list mono">
      {origins.map((origin) => (
        <li key={origin}>{origin}</li>
      ))}
    </ul>
  );
}

function NewSite({ onClose }: { onClose: () => void }): ReactNode {
  const say = useTexts(texts);
  const all = useTexts(common);
  const { tenantId } = useTenant();
  const done = useDone();
  const navigate = useNavigate();
  const form = useForm({ siteId: '', name: '', origins: '' });
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const submit = async (): Promise<void> => {
    const { siteId, name, origins } = form.value;
    const body = { siteId: siteId.trim(), origins: linesOf(origins), ...(name.trim() && { name: name.trim() }) };
    const site = await api.call('createSite', { path: { tenantId }, body, idempotencyKey });
    onClose();
    done(say('made'), [[tenantId, 'sites']]);
    await navigate({ to: '/$tenantId/sites/$siteId', params: { tenantId, siteId: site.siteId } });
  };
  return (
    <Dialog title={say('new')} onClose={onClose}>
      <Form submit={submit}>
        <Field label={say('name')} pointer="/name" optional {...form.text('name')} />
        <Field label={say('id')} hint={say('id_hint')} pointer="/siteId" {...form.text('siteId')} spellCheck={false} autoCapitalize="none" />
        <Area label={say('origins')} hint={say('origins_hint')} pointer="/origins" {...form.text('origins')} mono />
        <Form.Buttons>
          <Button onClick={onClose}>{all('cancel')}</Button>
          <Form.Submit>{say('new')}</Form.Submit>
        </Form.Buttons>
      </Form>
    </Dialog>
  );
}
