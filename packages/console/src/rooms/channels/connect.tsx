import type { Schemas } from '@misy/api-client';
import { type ReactNode, useState } from 'react';
import { api } from '../../api/client.js';
import { useTenant } from '../../frame/tenant.js';
import { Button } from '../../parts/basics.js';
import { Dialog } from '../../parts/dialog.js';
import { useDone } from '../../parts/done.js';
import { Check, Field, Form, useForm } from '../../parts/form.js';
import { Icon } from '../../parts/icon.js';
import { common } from '../../parts/texts.js';
import { useTexts } from '../../words/words.js';
import { type Account, type Kind, KINDS, type VendorKind, WANTED } from './kinds.js';
import { texts } from './texts.js';

const VENDOR = 'https://developers.facebook.com/apps';

interface ConnectProps {
  onClose: () => void;
  onMade: (made: Account) => void;
}

/** Connects an account: first which channel, then what it takes. */
export function Connect({ onClose, onMade }: ConnectProps): ReactNode {
  const say = useTexts(texts);
  const [kind, setKind] = useState<Kind>();
  if (kind) return <OfKind key={kind} kind={kind} back={() => setKind(undefined)} onClose={onClose} onMade={onMade} />;
  return (
    <Dialog title={say('which')} onClose={onClose}>
      <ul className="kinds">
        {KINDS.map((one) => (
          <li key={one}>
            <button type="button" className="kind" onClick={() => setKind(one)}>
              <Icon name={one === 'api' ? 'settings' : 'channels'} />
              <span>
                <span className="strong">{say(one)}</span>
                <span className="quiet about">{say(`${one}_about`)}</span>
              </span>
              <Icon name="right" />
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

const EMPTY = { name: '', callbackUrl: '', phoneNumberId: '', businessAccountId: '', id: '', accessToken: '', appSecret: '', humanAgent: false, template: '', language: '' };
type Filled = typeof EMPTY;

/** What is sent to connect an account. */
function bodyOf(kind: Kind, filled: Filled): Schemas['NewChannelAccount'] {
  const name = filled.name.trim();
  const { accessToken, appSecret, humanAgent } = filled;
  const id = filled.id.trim();
  switch (kind) {
    case 'api':
      return { channel: kind, name, callbackUrl: filled.callbackUrl.trim() };
    case 'messenger':
      return { channel: kind, name, messenger: { id, accessToken: accessToken.trim(), appSecret: appSecret.trim(), humanAgent } };
    case 'instagram':
      return { channel: kind, name, instagram: { id, accessToken: accessToken.trim(), appSecret: appSecret.trim(), humanAgent } };
    case 'whatsapp': {
      const whatsapp = {
        phoneNumberId: filled.phoneNumberId.trim(),
        businessAccountId: filled.businessAccountId.trim(),
        accessToken: accessToken.trim(),
        appSecret: appSecret.trim(),
        ...reopeningOf(filled.template, filled.language),
      };
      return { channel: kind, name, whatsapp };
    }
  }
}

/** The template that asks a contact to write again, if one was named. */
export const reopeningOf = (template: string, language: string): { reopening?: Schemas['WhatsappReopening'] } =>
  template.trim() === '' && language.trim() === '' ? {} : { reopening: { name: template.trim(), language: language.trim() } };

function OfKind({ kind, back, onClose, onMade }: ConnectProps & { kind: Kind; back: () => void }): ReactNode {
  const say = useTexts(texts);
  const { tenantId } = useTenant();
  const done = useDone();
  const form = useForm(EMPTY);
  const submit = async (): Promise<void> => {
    onMade(await api.call('createChannelAccount', { path: { tenantId }, body: bodyOf(kind, form.value) }));
    onClose();
    done(say('made'), [[tenantId, 'channels']]);
  };
  return (
    <Dialog title={say(kind)} onClose={onClose}>
      <Form submit={submit}>
        {kind !== 'api' && (
          <p className="quiet">
            {say('before', { kind: say(kind) })}{' '}
            <a href={VENDOR} target="_blank" rel="noreferrer">
              {say('open_vendor')}
            </a>
          </p>
        )}
        <Field label={say('name')} hint={say('name_hint')} pointer="/name" {...form.text('name')} />
        {kind === 'api' ? (
          <Field label={say('callback')} hint={say('callback_hint')} type="url" pointer="/callbackUrl" {...form.text('callbackUrl')} spellCheck={false} />
        ) : (
          WANTED[kind].map(({ name, label, hint, isSecret }) => (
            <Field
              key={name}
              label={say(label)}
              hint={isSecret ? `${say(hint)} ${say('never_shown')}` : say(hint)}
              pointer={`/${kind}/${name}`}
              {...form.text(name)}
              {...(isSecret ? SECRET : ({ inputMode: 'numeric' } as const))}
              autoComplete="off"
              spellCheck={false}
            />
          ))
        )}
        {kind === 'whatsapp' && <Template hint={say('template_hint')} template={form.text('template')} language={form.text('language')} />}
        {(kind === 'messenger' || kind === 'instagram') && (
          <Check label={say('human_agent')} hint={say('human_agent_hint')} value={form.value.humanAgent} onChange={(humanAgent) => form.set('humanAgent', humanAgent)} />
        )}
        <Form.Buttons>
          <Button icon="left" onClick={back}>
            {say('back')}
          </Button>
          <Form.Submit>{say('connect')}</Form.Submit>
        </Form.Buttons>
      </Form>
    </Dialog>
  );
}

/** A field whose content is not shown, and that no keeper of passwords fills in or keeps. */
const SECRET = { type: 'password', 'data-1p-ignore': true, 'data-lpignore': 'true' } as const;

interface Text {
  value: string;
  onChange: (value: string) => void;
}

/** The template that asks a contact of WhatsApp to write again. */
export function Template({ hint, template, language }: { hint: string; template: Text; language: Text }): ReactNode {
  const say = useTexts(texts);
  return (
    <>
      <Field label={say('template')} hint={hint} optional pointer="/whatsapp/reopening/name" {...template} spellCheck={false} autoComplete="off" />
      {(template.value !== '' || language.value !== '') && (
        <Field label={say('template_language')} placeholder="es_CO" pointer="/whatsapp/reopening/language" {...language} spellCheck={false} autoComplete="off" />
      )}
    </>
  );
}

/** Lets an account in again that its vendor refuses, or replaces what it is let in with. */
export function Renew({ account, kind, onClose }: { account: Account; kind: VendorKind; onClose: () => void }): ReactNode {
  const say = useTexts(texts);
  const all = useTexts(common);
  const { tenantId } = useTenant();
  const done = useDone();
  const form = useForm({ accessToken: '', appSecret: '' });
  const [accessToken, appSecret] = [form.value.accessToken.trim(), form.value.appSecret.trim()];
  const submit = async (): Promise<void> => {
    const fresh = { ...(accessToken && { accessToken }), ...(appSecret && { appSecret }) };
    await api.call('changeChannelAccount', { path: { tenantId, accountId: account.accountId }, body: { [kind]: fresh, status: 'active' } });
    onClose();
    done(say('renewed'), [[tenantId, 'channels']]);
  };
  return (
    <Dialog title={`${say('renew')}: ${account.name}`} onClose={onClose}>
      <Form submit={submit}>
        <p className="quiet">{say('renew_why')}</p>
        {WANTED[kind].map(({ name, label, hint, isSecret }) =>
          isSecret && (name === 'accessToken' || name === 'appSecret') ? (
            <Field key={name} label={say(label)} hint={`${say(hint)} ${say('never_shown')}`} optional pointer={`/${kind}/${name}`} {...form.text(name)} {...SECRET} autoComplete="off" spellCheck={false} />
          ) : null,
        )}
        <Form.Buttons>
          <Button onClick={onClose}>{all('cancel')}</Button>
          <Form.Submit disabled={accessToken === '' && appSecret === ''}>{say('renew')}</Form.Submit>
        </Form.Buttons>
      </Form>
    </Dialog>
  );
}
