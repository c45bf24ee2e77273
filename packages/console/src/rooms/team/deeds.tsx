import type { Schemas } from '@misy/api-client';
import { type ReactNode, useState } from 'react';
import { api } from '../../api/client.js';
import { useTenant } from '../../frame/tenant.js';
import { Badge, Button } from '../../parts/basics.js';
import { Confirm, Dialog } from '../../parts/dialog.js';
import { useDone } from '../../parts/done.js';
import { Choices, Form, useForm } from '../../parts/form.js';
import { common } from '../../parts/texts.js';
import { useLanguage, useTexts } from '../../words/words.js';
import { nameOfRole, purposeOfRole } from '../role-texts.js';
import { useRoles } from './team.js';
import { texts } from './texts.js';

type User = Schemas['User'];

/** What is done to a person after a question. */
export type DeedName = 'change_roles' | 'reset_factor' | 'sign_out' | 'disable' | 'remove';

interface DeedProps {
  name: DeedName;
  user: User;
  onClose: () => void;
}

export function Deed(props: DeedProps): ReactNode {
  if (props.name === 'change_roles') return <ChangeRoles {...props} />;
  if (props.name === 'disable' || props.name === 'remove') return <End {...props} name={props.name} />;
  return <Ask {...props} name={props.name} />;
}

function ChangeRoles({ user, onClose }: DeedProps): ReactNode {
  const say = useTexts(texts);
  const all = useTexts(common);
  const { tenantId } = useTenant();
  const done = useDone();
  const known = useRoles();
  const { language } = useLanguage();
  const form = useForm({ roles: user.roles });
  const change = (roles: string[]) => api.call('changeUser', { path: { tenantId, userId: user.userId }, body: { roles } });
  const submit = async (): Promise<void> => {
    await change(form.value.roles);
    onClose();
    done(say('roles_changed'), [[tenantId, 'users']], () => change(user.roles));
  };
  // A role of a provider's claims may be none of those that are listed.
  const others = user.roles.filter((role) => !known.some(({ roleId }) => roleId === role));
  const options = [...known.map((role) => ({ value: role.roleId, name: nameOfRole(role.roleId, language, role), about: purposeOfRole(role, language) })), ...others.map((role) => ({ value: role, name: role }))];
  return (
    <Dialog title={`${say('change_roles')}: ${user.name}`} onClose={onClose}>
      <Form submit={submit}>
        <Choices label={say('roles')} hint={say('change_roles_why')} pointer="/roles" value={form.value.roles} onChange={(roles) => form.set('roles', roles)} options={options} />
        <Form.Buttons>
          <Button onClick={onClose}>{all('cancel')}</Button>
          <Form.Submit>{all('save')}</Form.Submit>
        </Form.Buttons>
      </Form>
    </Dialog>
  );
}

function Ask({ name, user, onClose }: DeedProps & { name: 'reset_factor' | 'sign_out' }): ReactNode {
  const say = useTexts(texts);
  const { tenantId } = useTenant();
  const done = useDone();
  const path = { tenantId, userId: user.userId };
  const act = async (): Promise<void> => {
    if (name === 'reset_factor') await api.call('resetSecondFactor', { path });
    else await api.call('endUserSessions', { path });
    done(say(name === 'reset_factor' ? 'factor_reset' : 'signed_out'), [[tenantId, 'users']]);
  };
  return (
    <Confirm title={`${say(name)}: ${user.name}`} deed={say(name)} act={act} onClose={onClose}>
      <p>{say(`${name}_why`)}</p>
    </Confirm>
  );
}

/** Disables or removes somebody, and then shows what they made. */
function End({ name, user, onClose }: DeedProps & { name: 'disable' | 'remove' }): ReactNode {
  const say = useTexts(texts);
  const { tenantId } = useTenant();
  const done = useDone();
  const [all, setAll] = useState(false);
  const [made, setMade] = useState<readonly Schemas['MadeThing'][]>([]);
  const path = { tenantId, userId: user.userId };
  const query = { made: all ? 'revoke' : 'keep' } as const;
  const act = async (): Promise<void> => {
    const answer = await (name === 'disable' ? api.call('changeUser', { path, query, body: { disabled: true } }) : api.call('removeUser', { path, query }));
    const left = answer?.made ?? [];
    done(say(name === 'disable' ? 'was_disabled' : 'removed'), [[tenantId, 'users']]);
    if (left.length === 0) onClose();
    else setMade(left);
  };
  if (made.length > 0) return <WhatTheyMade made={made} onClose={onClose} />;
  return (
    <Confirm title={`${say(name)}: ${user.name}`} deed={say(name)} act={act} onClose={() => undefined} dismiss={onClose}>
      <p>{say(`${name}_why`)}</p>
      <label className="check">
        <input type="checkbox" checked={all} onChange={(event) => setAll(event.target.checked)} />
        {say('made_too')}
      </label>
    </Confirm>
  );
}

function WhatTheyMade({ made, onClose }: { made: readonly Schemas['MadeThing'][]; onClose: () => void }): ReactNode {
  const say = useTexts(texts);
  const all = useTexts(common);
  return (
    <Dialog title={say('what_they_made')} onClose={onClose}>
      <p className="quiet">{say('what_they_made_why')}</p>
      <ul className="rows">
        {made.map((thing) => (
          <li key={thing.id}>
            <div className="grow">
              <p className="strong">{thing.name || say(thing.kind)}</p>
              <p className="quiet small">
                {say(thing.kind)} · <code>{thing.id}</code>
              </p>
            </div>
            <Badge tone={thing.revoked ? 'calm' : 'warn'}>{say(thing.revoked ? 'revoked' : 'in_force')}</Badge>
          </li>
        ))}
      </ul>
      <div className="buttons">
        <Button look="primary" onClick={onClose}>
          {all('done')}
        </Button>
      </div>
    </Dialog>
  );
}
