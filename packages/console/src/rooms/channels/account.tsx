import { type ReactNode, useState } from 'react';
import { api } from '../../api/client.js';
import { usePages } from '../../api/pages.js';
import { useTenant } from '../../frame/tenant.js';
import { Badge, Button, Code, Empty, Fact, Facts, Time, type Tone } from '../../parts/basics.js';
import { Dialog } from '../../parts/dialog.js';
import { useDone } from '../../parts/done.js';
import { Check, Field, Form, useForm } from '../../parts/form.js';
import { Listed } from '../../parts/table.js';
import { common } from '../../parts/texts.js';
import { useTexts } from '../../words/words.js';
import { reopeningOf, Template } from './connect.js';
import { type Account, isKind, vendorOf } from './kinds.js';
import { texts } from './texts.js';

/** Changes what an account is called, and what else of it is no secret. */
export function Edit({ account, onClose }: { account: Account; onClose: () => void }): ReactNode {
  const say = useTexts(texts);
  const all = useTexts(common);
  const { tenantId } = useTenant();
  const done = useDone();
  const vendor = vendorOf(account);
  const form = useForm({ name: account.name, callbackUrl: account.callbackUrl ?? '', humanAgent: vendor?.humanAgent ?? false, template: '', language: '' });
  const submit = async (): Promise<void> => {
    const { humanAgent, template, language } = form.value;
    const reopening = reopeningOf(template, language);
    const own = {
      ...(account.channel === 'api' && { callbackUrl: form.value.callbackUrl.trim() }),
      ...(vendor?.kind === 'whatsapp' && reopening.reopening && { whatsapp: reopening }),
      ...(vendor?.humanAgent !== undefined && vendor.humanAgent !== humanAgent && { [vendor.kind]: { humanAgent } }),
    };
    await api.call('changeChannelAccount', {
      path: { tenantId, accountId: account.accountId },
      body: { name: form.value.name.trim(), ...own },
      ifMatch: `"${account.version}"`,
    });
    onClose();
    done(say('saved'), [[tenantId, 'channels']]);
  };
  return (
    <Dialog title={account.name} onClose={onClose}>
      <Form submit={submit}>
        <Field label={say('name')} hint={say('name_hint')} pointer="/name" {...form.text('name')} />
        {account.channel === 'api' && <Field label={say('callback')} hint={say('callback_hint')} type="url" pointer="/callbackUrl" {...form.text('callbackUrl')} spellCheck={false} />}
        {vendor?.kind === 'whatsapp' && <Template hint={say('template_new_hint')} template={form.text('template')} language={form.text('language')} />}
        {vendor?.humanAgent !== undefined && (
          <Check label={say('human_agent')} hint={say('human_agent_hint')} value={form.value.humanAgent} onChange={(humanAgent) => form.set('humanAgent', humanAgent)} />
        )}
        <Form.Buttons>
          <Button onClick={onClose}>{all('cancel')}</Button>
          <Form.Submit>{all('save')}</Form.Submit>
        </Form.Buttons>
      </Form>
    </Dialog>
  );
}

const STANDS = { queued: 'calm', sent: 'good', delivered: 'good', read: 'good', failed: 'bad' } as const satisfies Record<string, Tone>;
const isStand = (status: string): status is keyof typeof STANDS => status in STANDS;

/** What an account is, where its vendor calls, and what was delivered. */
export function Details({ account, onClose }: { account: Account; onClose: () => void }): ReactNode {
  const say = useTexts(texts);
  const all = useTexts(common);
  const { tenantId } = useTenant();
  const { accountId, channel, callbackUrl, createdAt, oldSecretUntil } = account;
  const vendor = vendorOf(account);
  // What is over when the dialog opens says nothing to anybody.
  const [opened] = useState(Date.now);
  const deliveries = usePages(
    [tenantId, 'deliveries', accountId],
    (cursor, signal) => api.call('listDeliveries', { path: { tenantId, accountId }, query: { limit: 20, ...cursor }, signal }),
    { refetchInterval: 10_000 },
  );
  return (
    <Dialog title={account.name} look="wide" onClose={onClose}>
      <Facts>
        <Fact name={say('channel')}>{isKind(channel) ? say(channel) : channel}</Fact>
        <Fact name={say('id')}>
          <code>{accountId}</code>
        </Fact>
        {callbackUrl && (
          <Fact name={say('callback')}>
            <span className="mono">{callbackUrl}</span>
          </Fact>
        )}
        {vendor && (
          <>
            <Fact name={say('vendor_id')}>
              <code>{vendor.id}</code>
            </Fact>
            {vendor.of && vendor.of !== vendor.id && (
              <Fact name={say('belongs_to')}>
                <code>{vendor.of}</code>
              </Fact>
            )}
            {vendor.humanAgent !== undefined && <Fact name={say('late_answers')}>{say(vendor.humanAgent ? 'seven_days' : 'one_day')}</Fact>}
            <Fact name={say('verify_token')}>{say('verify_token_why')}</Fact>
          </>
        )}
        {oldSecretUntil && Date.parse(oldSecretUntil) > opened && (
          <Fact name={say('old_until')}>
            <Time at={oldSecretUntil} exact />
          </Fact>
        )}
        <Fact name={say('created')}>
          <Time at={createdAt} exact />
        </Fact>
      </Facts>
      {vendor && (
        <div className="field">
          <span className="label">{say('webhook')}</span>
          <Code text={vendor.webhookUrl} />
        </div>
      )}
      <h3 className="detail">{say('deliveries')}</h3>
      <Listed
        label={say('deliveries')}
        pages={deliveries}
        keyOf={({ deliveryId }) => deliveryId}
        empty={<Empty icon="channels" title={say('no_deliveries')} />}
        columns={[
          { name: say('message'), cell: ({ messageId }) => <code>{messageId}</code> },
          { name: say('state'), cell: ({ status }) => (isStand(status) ? <Badge tone={STANDS[status]}>{say(status)}</Badge> : <Badge>{status}</Badge>), tight: true },
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
