import type { Schemas } from '@misy/api-client';
import { type ReactNode, useState } from 'react';
import { api } from '../../api/client.js';
import { usePages } from '../../api/pages.js';
import { useTenant } from '../../frame/tenant.js';
import { Badge, Button, Empty, Section, Time } from '../../parts/basics.js';
import { Confirm, Dialog, ShownOnce } from '../../parts/dialog.js';
import { useDone } from '../../parts/done.js';
import { Field, Form, Select, useForm } from '../../parts/form.js';
import { RowMenu } from '../../parts/menu.js';
import { Listed } from '../../parts/table.js';
import { common } from '../../parts/texts.js';
import { useTexts } from '../../words/words.js';
import { State } from './keys.js';
import { texts } from './texts.js';

/** What servers of a tenant sign with. */
export function Secrets(): ReactNode {
  const say = useTexts(texts);
  const { tenantId, can } = useTenant();
  const [rotates, setRotates] = useState(false);
  const [made, setMade] = useState<Schemas['Secret']>();
  const [revokes, setRevokes] = useState<Schemas['Secret']>();
  const pages = usePages([tenantId, 'secrets'], (cursor, signal) => api.call('listSecrets', { path: { tenantId }, query: cursor, signal }));
  return (
    <Section
      title={say('secrets')}
      about={say('secrets_about')}
      actions={can('secrets:write') && <Button onClick={() => setRotates(true)}>{say('rotate')}</Button>}
    >
      <Listed
        label={say('secrets')}
        pages={pages}
        keyOf={({ keyId }) => keyId}
        empty={<Empty icon="keys" title={say('no_secrets')} />}
        columns={[
          {
            name: say('name'),
            cell: (secret) => (
              <>
                <span className="strong">{secret.name || say('secret_kind')}</span> {secret.needsCertificate && <Badge>{say('certificate')}</Badge>}
                <br />
                <code className="quiet">{secret.keyId}</code>
              </>
            ),
          },
          { name: say('made_by'), cell: ({ madeBy }) => <code className="quiet">{madeBy}</code>, minor: true },
          { name: say('state'), cell: (secret) => <State {...secret} />, tight: true },
          { name: say('created'), cell: ({ createdAt }) => <Time at={createdAt} />, tight: true, minor: true },
        ]}
        actions={(secret) =>
          can('secrets:write') && !secret.revokedAt ? (
            <RowMenu what={secret.name || secret.keyId} groups={[[{ name: say('revoke'), danger: true, act: () => setRevokes(secret) }]]} />
          ) : null
        }
      />
      {rotates && (
        <Rotate
          onClose={() => setRotates(false)}
          onMade={(secret) => {
            setRotates(false);
            setMade(secret);
          }}
        />
      )}
      {made && (
        <ShownOnce
          title={say('made_secret')}
          secrets={[
            { name: say('secret_id'), text: made.keyId },
            { name: say('your_secret'), text: made.secret ?? '' },
          ]}
          onClose={() => setMade(undefined)}
        />
      )}
      {revokes && <Revoke revoked={revokes} onClose={() => setRevokes(undefined)} />}
    </Section>
  );
}

const HOUR = 3600;
const OVERLAPS = { hour: HOUR, day: 24 * HOUR, week: 7 * 24 * HOUR } as const;

function Rotate({ onClose, onMade }: { onClose: () => void; onMade: (secret: Schemas['Secret']) => void }): ReactNode {
  const say = useTexts(texts);
  const all = useTexts(common);
  const { tenantId } = useTenant();
  const done = useDone();
  const form = useForm<{ name: string; overlap: keyof typeof OVERLAPS }>({ name: '', overlap: 'day' });
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const submit = async (): Promise<void> => {
    const { name, overlap } = form.value;
    const body = { overlapSeconds: OVERLAPS[overlap], ...(name.trim() && { name: name.trim() }) };
    const secret = await api.call('rotateSecret', { path: { tenantId }, body, idempotencyKey });
    done(say('made_secret'), [[tenantId, 'secrets']]);
    onMade(secret);
  };
  return (
    <Dialog title={say('rotate')} onClose={onClose}>
      <Form submit={submit}>
        <p className="quiet">{say('secrets_about')}</p>
        <Field label={say('name')} pointer="/name" optional {...form.text('name')} />
        <Select
          label={say('overlap')}
          pointer="/overlapSeconds"
          value={form.value.overlap}
          onChange={(overlap) => form.set('overlap', overlap)}
          options={[['hour', say('hour')], ['day', say('day')], ['week', say('week')]]}
        />
        <Form.Buttons>
          <Button onClick={onClose}>{all('cancel')}</Button>
          <Form.Submit>{say('rotate')}</Form.Submit>
        </Form.Buttons>
      </Form>
    </Dialog>
  );
}

function Revoke({ revoked, onClose }: { revoked: Schemas['Secret']; onClose: () => void }): ReactNode {
  const say = useTexts(texts);
  const { tenantId } = useTenant();
  const done = useDone();
  const [tokens, setTokens] = useState(false);
  const revoke = async (): Promise<void> => {
    await api.call('revokeSecret', { path: { tenantId, keyId: revoked.keyId }, query: { tokens: tokens ? 'revoke' : 'keep' } });
    done(say('was_revoked'), [[tenantId, 'secrets']]);
  };
  return (
    <Confirm title={say('revoke_key', { name: revoked.name || revoked.keyId })} deed={say('revoke')} act={revoke} onClose={onClose}>
      <p>{say('revoke_secret_why')}</p>
      <label className="check">
        <input type="checkbox" checked={tokens} onChange={(event) => setTokens(event.target.checked)} />
        {say('revoke_tokens')}
      </label>
    </Confirm>
  );
}
