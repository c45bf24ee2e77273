import type { Schemas } from '@misy/api-client';
import { type ReactNode, useDeferredValue, useState } from 'react';
import { api } from '../../api/client.js';
import { usePages } from '../../api/pages.js';
import { useTenant } from '../../frame/tenant.js';
import { Badge, Button, Empty, Fact, Facts, Page, Problem, Time } from '../../parts/basics.js';
import { Dialog } from '../../parts/dialog.js';
import { Field, Select, useForm } from '../../parts/form.js';
import { Icon } from '../../parts/icon.js';
import { Listed } from '../../parts/table.js';
import { common } from '../../parts/texts.js';
import { useTexts } from '../../words/words.js';
import { Check, Export } from './export.js';
import { texts } from './texts.js';
import { Tampered, verifyEntry } from './verify.js';

type Entry = Schemas['AuditEntry'];
type Kind = Schemas['AuditKind'];

/** What happened, and the proof that nobody altered it. */
export default function Audit(): ReactNode {
  const say = useTexts(texts);
  const { tenantId, can } = useTenant();
  const [opened, setOpened] = useState<Entry>();
  const [exports, setExports] = useState(false);
  const [checks, setChecks] = useState(false);
  const filter = useForm<{ kind: Kind | ''; action: string; actor: string; outcome: string; from: string }>({ kind: 'change', action: '', actor: '', outcome: '', from: '' });
  const { kind, action, actor, outcome, from } = useDeferredValue(filter.value);
  const query = {
    limit: 50,
    ...(kind && { kind }),
    ...(action.trim() && { action: action.trim() }),
    ...(actor.trim() && { actor: actor.trim() }),
    ...(outcome.trim() && { outcome: outcome.trim() }),
    ...(from && { from: new Date(from).toISOString() }),
  };
  const entries = usePages([tenantId, 'audit', query], (cursor, signal) => api.call('listAudit', { path: { tenantId }, query: { ...query, ...cursor }, signal }));
  return (
    <Page
      title={say('title')}
      about={say('about')}
      actions={
        can('audit:export') && (
          <>
            <Button icon="roles" onClick={() => setChecks(true)}>
              {say('check')}
            </Button>
            <Button onClick={() => setExports(true)}>{say('export')}</Button>
          </>
        )
      }
    >
      <div className="filters">
        <Select
          label={say('kind')}
          value={kind}
          onChange={(chosen) => filter.set('kind', chosen)}
          options={[['', say('any')], ['change', say('change')], ['call', say('call')], ['turn', say('turn')], ['system', say('system')]]}
        />
        <Field label={say('action')} placeholder="createSite" {...filter.text('action')} spellCheck={false} />
        <Field label={say('actor')} placeholder="usr_…" {...filter.text('actor')} spellCheck={false} />
        <Field label={say('outcome')} placeholder="ok" {...filter.text('outcome')} spellCheck={false} />
        <Field label={say('from')} type="datetime-local" {...filter.text('from')} />
      </div>
      <Listed
        label={say('title')}
        pages={entries}
        keyOf={({ auditId }) => auditId}
        empty={
          <Empty icon="audit" title={say('none')}>
            {say('none_why')}
          </Empty>
        }
        columns={[
          {
            name: say('action'),
            cell: (entry) => (
              <button type="button" className="link strong" onClick={() => setOpened(entry)}>
                {entry.action}
              </button>
            ),
          },
          { name: say('actor'), cell: (entry) => <code className="quiet">{entry.agentName ?? entry.actor}</code> },
          { name: say('subject'), cell: ({ subject }) => <code className="quiet">{subject ?? '–'}</code>, minor: true },
          { name: say('outcome'), cell: (entry) => <Badge tone={entry.outcome === 'ok' ? 'good' : 'warn'}>{entry.outcome}</Badge>, tight: true },
          { name: say('when'), cell: ({ at }) => <Time at={at} />, tight: true },
        ]}
      />
      {opened && <Opened entry={opened} onClose={() => setOpened(undefined)} />}
      {exports && <Export onClose={() => setExports(false)} />}
      {checks && <Check onClose={() => setChecks(false)} />}
    </Page>
  );
}

function Opened({ entry, onClose }: { entry: Entry; onClose: () => void }): ReactNode {
  const say = useTexts(texts);
  const all = useTexts(common);
  const facts = [
    ['actor', entry.actor],
    ['subject', entry.subject],
    ['site', entry.siteId],
    ['origin', entry.origin],
    ['request', entry.requestId],
    ['duration', entry.durationMicros ? `${entry.durationMicros / 1000} ms` : undefined],
  ] as const;
  return (
    <Dialog title={entry.action} look="wide" onClose={onClose}>
      <Facts>
        <Fact name={say('when')}>
          <Time at={entry.at} exact />
        </Fact>
        <Fact name={say('outcome')}>
          <Badge tone={entry.outcome === 'ok' ? 'good' : 'warn'}>{entry.outcome}</Badge> {entry.status}
        </Fact>
        {facts.map(
          ([name, value]) =>
            value && (
              <Fact key={name} name={say(name)}>
                <code>{value}</code>
              </Fact>
            ),
        )}
      </Facts>
      {entry.detail && (
        <div className="field detail">
          <span className="label">{say('detail')}</span>
          <pre className="code-block">{JSON.stringify(entry.detail, undefined, 2)}</pre>
        </div>
      )}
      <Proof auditId={entry.auditId} />
      <div className="buttons">
        <Button onClick={onClose}>{all('close')}</Button>
      </div>
    </Dialog>
  );
}

/** Proves in the browser that one entry is in the tree, where it is said to be. */
function Proof({ auditId }: { auditId: string }): ReactNode {
  const say = useTexts(texts);
  const { tenantId } = useTenant();
  const [state, setState] = useState<{ busy: boolean; error?: unknown; place?: { index: number; size: number; signed: boolean } }>({ busy: false });
  const prove = async (): Promise<void> => {
    setState({ busy: true });
    try {
      const [proof, { keys }] = await Promise.all([api.call('proveAuditEntry', { path: { tenantId, auditId } }), api.call('readAuditKeys')]);
      const { signed } = await verifyEntry(proof, keys.map(({ publicKey }) => publicKey));
      setState({ busy: false, place: { index: proof.leafIndex + 1, size: proof.treeSize, signed } });
    } catch (error) {
      setState({ busy: false, error });
    }
  };
  const { busy, error, place } = state;
  return (
    <div role="status">
      {error instanceof Tampered && (
        <p className="notice bad">
          <Icon name="warning" />
          <span>
            <strong>{say('not_proved')}.</strong> {error.message}
          </span>
        </p>
      )}
      {error !== undefined && !(error instanceof Tampered) && <Problem error={error} />}
      {place ? (
        <p className="notice good">
          <Icon name="check" />
          <span>
            {say('proved', { index: place.index, size: place.size })}. {!place.signed && say('no_ed25519')}
          </span>
        </p>
      ) : (
        <Button icon="roles" busy={busy} onClick={() => void prove()}>
          {say('prove')}
        </Button>
      )}
    </div>
  );
}
