import type { Schemas } from '@misy/api-client';
import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { type ReactNode, useDeferredValue, useState } from 'react';
import { api } from '../../api/client.js';
import { usePages } from '../../api/pages.js';
import { useTenant } from '../../frame/tenant.js';
import { Badge, Button, Empty, Page, Time, type Tone } from '../../parts/basics.js';
import { Dialog, ShownOnce } from '../../parts/dialog.js';
import { useDone } from '../../parts/done.js';
import { Choices, Field, Form, Select, useForm } from '../../parts/form.js';
import { RowMenu } from '../../parts/menu.js';
import { Listed } from '../../parts/table.js';
import { common } from '../../parts/texts.js';
import { useToasts } from '../../parts/toasts.js';
import { LANGUAGES, type Language } from '../../words/language.js';
import { useLanguage, useTexts, useWriting } from '../../words/words.js';
import { nameOfRole, purposeOfRole } from '../role-texts.js';
import { Deed, type DeedName } from './deeds.js';
import { texts } from './texts.js';

type User = Schemas['User'];

const STATES: Record<Schemas['UserStatus'], Tone> = { invited: 'warn', active: 'good', disabled: 'calm' };

/** The people of a tenant. */
export default function Team(): ReactNode {
  const say = useTexts(texts);
  const { tenantId, can, me } = useTenant();
  const { language } = useLanguage();
  const known = useRoles();
  const { new: begins } = useSearch({ from: '/$tenantId' });
  const [invites, setInvites] = useState(begins ?? false);
  const [link, setLink] = useState<{ title: string; link: Schemas['OneTimeLink'] }>();
  const [deed, setDeed] = useState<{ name: DeedName; user: User }>();
  const toasts = useToasts();
  const done = useDone();
  const filter = useForm<{ email: string; status: Schemas['UserStatus'] | '' }>({ email: '', status: '' });
  const email = useDeferredValue(filter.value.email.trim());
  const { status } = filter.value;
  const users = usePages([tenantId, 'users', email, status], (cursor, signal) =>
    api.call('listUsers', { path: { tenantId }, query: { ...cursor, ...(email && { email }), ...(status && { status }) }, signal }),
  );
  const giveLink = async (user: User, kind: 'invitation' | 'password'): Promise<void> => {
    const path = { tenantId, userId: user.userId };
    try {
      const made = await (kind === 'invitation' ? api.call('renewInvitation', { path }) : api.call('makePasswordLink', { path }));
      setLink({ title: say(kind === 'invitation' ? 'the_link' : 'password_link'), link: made });
    } catch (error) {
      toasts.failed(error);
    }
  };
  const enable = async (user: User): Promise<void> => {
    try {
      await api.call('changeUser', { path: { tenantId, userId: user.userId }, body: { disabled: false } });
      done(say('enabled'), [[tenantId, 'users']]);
    } catch (error) {
      toasts.failed(error);
    }
  };
  const menu = (user: User): ReactNode => {
    const isMe = user.userId === me.user.userId;
    const ask = (name: DeedName) => ({ name: say(name), act: () => setDeed({ name, user }) });
    return (
      <RowMenu
        what={user.name}
        groups={[
          [
            ask('change_roles'),
            ...(user.status === 'invited' ? [{ name: say('send_again'), act: () => void giveLink(user, 'invitation') }] : []),
            ...(user.status === 'active' ? [{ name: say('password_link'), act: () => void giveLink(user, 'password') }] : []),
            ...(user.hasSecondFactor && !isMe ? [ask('reset_factor')] : []),
            ...(user.status === 'active' ? [ask('sign_out')] : []),
          ],
          isMe
            ? []
            : [
                ...(user.status === 'active' ? [{ ...ask('disable'), danger: true }] : []),
                ...(user.status === 'disabled' ? [{ name: say('enable'), act: () => void enable(user) }] : []),
                { ...ask('remove'), danger: true },
              ],
        ]}
      />
    );
  };
  return (
    <Page
      title={say('title')}
      about={say('about')}
      actions={
        can('users:write') && (
          <Button look="primary" icon="plus" onClick={() => setInvites(true)}>
            {say('invite')}
          </Button>
        )
      }
    >
      <div className="filters">
        <Field label={say('email')} type="search" {...filter.text('email')} />
        <Select
          label={say('state')}
          value={status}
          onChange={(chosen) => filter.set('status', chosen)}
          options={[['', say('any_state')], ['active', say('active')], ['invited', say('invited')], ['disabled', say('disabled')]]}
        />
      </div>
      <Listed
        label={say('title')}
        pages={users}
        keyOf={({ userId }) => userId}
        empty={<Empty icon="team" title={say('none')} />}
        columns={[
          {
            name: say('person'),
            cell: (user) => (
              <>
                <span className="strong">{user.name}</span> {user.userId === me.user.userId && <span className="quiet">({say('you')})</span>}
                <br />
                <span className="quiet">{user.email}</span>
              </>
            ),
          },
          { name: say('roles'), cell: ({ roles }) => <span className="badges">{roles.map((role) => <Badge key={role}>{nameOfRole(role, language, known.find(({ roleId }) => roleId === role))}</Badge>)}</span> },
          { name: say('state'), cell: (user) => <Badge tone={STATES[user.status]}>{say(user.status)}</Badge>, tight: true },
          { name: say('second_factor'), cell: ({ hasSecondFactor }) => say(hasSecondFactor ? 'has_factor' : 'no_factor'), tight: true, minor: true },
          { name: say('last_sign_in'), cell: ({ lastSignInAt }) => (lastSignInAt ? <Time at={lastSignInAt} /> : <span className="quiet">{say('never')}</span>), tight: true },
        ]}
        actions={can('users:write') ? menu : undefined}
      />
      {invites && (
        <Invite
          onClose={() => setInvites(false)}
          onMade={(made) => {
            setInvites(false);
            setLink({ title: say('the_link'), link: made });
          }}
        />
      )}
      {link && <Link {...link} onClose={() => setLink(undefined)} />}
      {deed && <Deed {...deed} onClose={() => setDeed(undefined)} />}
    </Page>
  );
}

function Link({ title, link, onClose }: { title: string; link: Schemas['OneTimeLink']; onClose: () => void }): ReactNode {
  const say = useTexts(texts);
  const write = useWriting();
  return (
    <ShownOnce title={title} secrets={[{ name: title, text: link.url }]} onClose={onClose}>
      <p className="quiet">
        {say('link_why')} {say('link_until', { when: write.moment(link.expiresAt) })}
      </p>
    </ShownOnce>
  );
}

/** Roles to choose from, as the person may read them. */
export function useRoles(): readonly Schemas['Role'][] {
  const { tenantId, can } = useTenant();
  const roles = useQuery({ queryKey: [tenantId, 'roles', 'all'], queryFn: () => api.list('listRoles', { path: { tenantId } }), enabled: can('roles:read') });
  return roles.data ?? [];
}

interface Invited {
  email: string;
  name: string;
  roles: string[];
  locale: Language;
}

const LANGUAGE_OPTIONS = [['es', LANGUAGES.es], ['en', LANGUAGES.en], ['pt', LANGUAGES.pt]] as const;

function Invite({ onClose, onMade }: { onClose: () => void; onMade: (link: Schemas['OneTimeLink']) => void }): ReactNode {
  const say = useTexts(texts);
  const all = useTexts(common);
  const { language } = useLanguage();
  const { tenantId } = useTenant();
  const done = useDone();
  const roles = useRoles();
  const form = useForm<Invited>({ email: '', name: '', roles: [], locale: language });
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const submit = async (): Promise<void> => {
    const { email, name, roles: chosen, locale } = form.value;
    const made = await api.call('inviteUser', { path: { tenantId }, body: { email: email.trim(), name: name.trim(), roles: chosen, locale }, idempotencyKey });
    done(say('invitation_sent'), [[tenantId, 'users']]);
    onMade(made.invitation);
  };
  return (
    <Dialog title={say('invite')} onClose={onClose}>
      <Form submit={submit}>
        <Field label={say('name')} pointer="/name" {...form.text('name')} autoComplete="off" />
        <Field label={say('email')} pointer="/email" type="email" {...form.text('email')} autoComplete="off" spellCheck={false} />
        <Choices label={say('roles')} pointer="/roles" value={form.value.roles} onChange={(chosen) => form.set('roles', chosen)} options={roles.map((role) => ({ value: role.roleId, name: nameOfRole(role.roleId, language, role), about: purposeOfRole(role, language) }))} />
        <Select label={say('language')} pointer="/locale" value={form.value.locale} onChange={(locale) => form.set('locale', locale)} options={LANGUAGE_OPTIONS} />
        <Form.Buttons>
          <Button onClick={onClose}>{all('cancel')}</Button>
          <Form.Submit>{say('invite')}</Form.Submit>
        </Form.Buttons>
      </Form>
    </Dialog>
  );
}
