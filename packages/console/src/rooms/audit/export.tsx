import type { Schemas } from '@misy/api-client';
import { type ReactNode, useEffect, useState } from 'react';
import { api } from '../../api/client.js';
import { useTenant } from '../../frame/tenant.js';
import { Button, Problem, Skeleton } from '../../parts/basics.js';
import { Dialog } from '../../parts/dialog.js';
import { useDone } from '../../parts/done.js';
import { Field, Form, Select, useForm } from '../../parts/form.js';
import { Icon } from '../../parts/icon.js';
import { common } from '../../parts/texts.js';
import { useTexts } from '../../words/words.js';
import { texts } from './texts.js';
import { Tampered, type Verdict, verifyBundle } from './verify.js';

type Format = Schemas['ExportFormat'];

const ENDINGS: Record<Format, string> = { ndjson: 'ndjson', ocsf: 'ocsf.ndjson', rfc5424: 'log' };

/** Gives the browser a file to keep. */
export function save(name: string, content: string): void {
  const address = URL.createObjectURL(new Blob([content]));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

export function Export({ onClose }: { onClose: () => void }): ReactNode {
  const say = useTexts(texts);
  const all = useTexts(common);
  const { tenantId } = useTenant();
  const done = useDone();
  const form = useForm<{ format: Format; from: string; to: string }>({ format: 'ndjson', from: '', to: '' });
  const submit = async (): Promise<void> => {
    const { format, from, to } = form.value;
    const query = { format, ...(from && { from: new Date(from).toISOString() }), ...(to && { to: new Date(to).toISOString() }) };
    save(`${tenantId}-audit.${ENDINGS[format]}`, await api.text('exportAudit', { path: { tenantId }, query }));
    onClose();
    done(say('exported'), []);
  };
  return (
    <Dialog title={say('export')} onClose={onClose}>
      <Form submit={submit}>
        <p className="quiet">{say('export_why')}</p>
        <Select
          label={say('format')}
          value={form.value.format}
          onChange={(format) => form.set('format', format)}
          options={[['ndjson', say('ndjson')], ['ocsf', say('ocsf')], ['rfc5424', say('rfc5424')]]}
        />
        <div className="pair">
          <Field label={say('from')} type="datetime-local" pointer="?from" optional {...form.text('from')} />
          <Field label={say('to')} type="datetime-local" pointer="?to" optional {...form.text('to')} />
        </div>
        <Form.Buttons>
          <Button onClick={onClose}>{all('cancel')}</Button>
          <Form.Submit>{say('download')}</Form.Submit>
        </Form.Buttons>
      </Form>
    </Dialog>
  );
}

/** Fetches the whole trail and checks it here, in the browser. */
export function Check({ onClose }: { onClose: () => void }): ReactNode {
  const say = useTexts(texts);
  const all = useTexts(common);
  const { tenantId } = useTenant();
  const [verdict, setVerdict] = useState<Verdict>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    const stop = new AbortController();
    const check = async (): Promise<void> => {
      try {
        const found = await verifyBundle(await api.text('exportAudit', { path: { tenantId }, query: { format: 'ndjson' }, signal: stop.signal }));
        if (!stop.signal.aborted) setVerdict(found);
      } catch (failure) {
        if (!stop.signal.aborted) setError(failure);
      }
    };
    void check();
    return () => stop.abort();
  }, [tenantId]);
  return (
    <Dialog title={say('check_title')} onClose={onClose}>
      <p className="quiet">{say('check_why')}</p>
      <div role="status">
        {!verdict && error === undefined && (
          <>
            <p>{say('checking')}</p>
            <Skeleton lines={2} />
          </>
        )}
        {verdict && (
          <div className="notice good">
            <Icon name="check" />
            <span>
              <strong>{say('checked', { count: verdict.entries })}.</strong> {say('checked_until', { size: verdict.treeSize, origin: verdict.origin })}.{' '}
              {!verdict.signed && say('no_ed25519')}
            </span>
          </div>
        )}
        {error instanceof Tampered && (
          <p className="notice bad">
            <Icon name="warning" />
            <span>
              <strong>{say('not_checked')}.</strong> {error.message}
            </span>
          </p>
        )}
        {error !== undefined && !(error instanceof Tampered) && <Problem error={error} />}
      </div>
      <div className="buttons">
        <Button onClick={onClose}>{all('close')}</Button>
      </div>
    </Dialog>
  );
}
