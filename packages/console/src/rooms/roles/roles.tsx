import type { Schemas } from '@misy/api-client';
import { type ReactNode, useState } from 'react';
import { api } from '../../api/client.js';
import { usePages } from '../../api/pages.js';
import { useTenant } from '../../frame/tenant.js';
import { Badge, Button, Empty, Page } from '../../parts/basics.js';
import { Confirm, Dialog } from '../../parts/dialog.js';
import { useDone } from '../../parts/done.js';
import { Choices, Field, Form, useForm } from '../../parts/form.js';
import { RowMenu } from '../../parts/menu.js';
import { Listed } from '../../parts/table.js';
import { common } from '../../parts/texts.js';
import type { Say } from '../../words/language.js';
import { useLanguage, useTexts } from '../../words/words.js';
import { actionTexts, hasText } from '../actions.js';
import { nameOfRole, purposeOfRole } from '../role-texts.js';
import { texts } from './texts.js';

type Role = Schemas['Role'];

/** What people may do, in bundles. */
export default function Roles(): ReactNode {
  const say = useTexts(texts);
  const { tenantId, can } = useTenant();
  const { language } = useLanguage();
  const [edited, setEdited] = useState<Role | 'new'>();
  const [deleted, setDeleted] = useState<Role>();
  const roles = usePages([tenantId, 'roles'], (_, signal) => api.call('listRoles', { path: { tenantId }, signal }));
  return (
    <Page
      title={say('title')}
      about={say('about')}
      actions={
        can('roles:write') && (
          <Button look="primary" icon="plus" onClick={() => setEdited('new')}>
            {say('new')}
          </Button>
        )
      }
    >
      <Listed
        label={say('title')}
        pages={roles}
        keyOf={({ roleId }) => roleId}
        empty={<Empty icon="roles" title={say('none')} />}
        columns={[
          {
            name: say('name'),
            cell: (role) => (
              <>
                <span className="strong">{nameOfRole(role.roleId, language, role)}</span> {role.builtIn && <Badge>{say('built_in')}</Badge>}
                <br />
                <span className="quiet">{purposeOfRole(role, language)}</span>
              </>
            ),
          },
          { name: say('may'), cell: (role) => <May role={role} /> },
        ]}
        actions={(role) =>
          can('roles:write') && !role.builtIn ? (
            <RowMenu
              what={role.name}
              groups={[[{ name: say('change'), act: () => setEdited(role) }], [{ name: say('delete'), danger: true, act: () => setDeleted(role) }]]}
            />
          ) : null
        }
      />
      {edited && <Edit role={edited === 'new' ? undefined : edited} onClose={() => setEdited(undefined)} />}
      {deleted && <Delete role={deleted} onClose={() => setDeleted(undefined)} />}
    </Page>
  );
}

const wordsOf = (say: Say<typeof actionTexts>, action: string): string => (hasText(action) ? say(action) : action);

function May({ role }: { role: Role }): ReactNode {
  const say = useTexts(texts);
  const words = useTexts(actionTexts);
  return (
    <details>
      <summary>{say('actions', { count: role.actions.length })}</summary>
      <ul className="plain-list quiet">
        {role.actions.map((action) => (
          <li key={action}>{wordsOf(words, action)}</li>
        ))}
      </ul>
    </details>
  );
}

/** A new role, or another form of one that is there. Nobody gives more than they may do themselves. */
function Edit({ role, onClose }: { role: Role | undefined; onClose: () => void }): ReactNode {
  const say = useTexts(texts);
  const all = useTexts(common);
  const words = useTexts(actionTexts);
  const { tenantId, can } = useTenant();
  const done = useDone();
  const form = useForm({ roleId: role?.roleId ?? '', name: role?.name ?? '', description: role?.description ?? '', actions: role?.actions ?? [] });
  const submit = async (): Promise<void> => {
    const { roleId, ...rest } = form.value;
    if (role) await api.call('changeRole', { path: { tenantId, roleId: role.roleId }, body: rest, ifMatch: `"${role.version}"` });
    else await api.call('createRole', { path: { tenantId }, body: { roleId: roleId.trim(), ...rest } });
    onClose();
    done(say('saved'), [[tenantId, 'roles'], [tenantId, 'access']]);
  };
  const options = Object.keys(actionTexts)
    .filter(hasText)
    .filter((action) => can(action) || form.value.actions.includes(action))
    .map((action) => ({ value: action, name: words(action), about: action }));
  return (
    <Dialog title={role ? say('change_role', { name: role.name }) : say('new')} onClose={onClose} look="wide">
      <Form submit={submit}>
        <div className="pair">
          {!role && <Field label={say('id')} hint={say('id_hint')} pointer="/roleId" {...form.text('roleId')} spellCheck={false} autoCapitalize="none" />}
          <Field label={say('name')} pointer="/name" {...form.text('name')} />
        </div>
        <Field label={say('description')} pointer="/description" optional {...form.text('description')} />
        <Choices label={say('may')} hint={say('may_hint')} pointer="/actions" value={form.value.actions} onChange={(actions) => form.set('actions', actions)} options={options} />
        <Form.Buttons>
          <Button onClick={onClose}>{all('cancel')}</Button>
          <Form.Submit>{all('save')}</Form.Submit>
        </Form.Buttons>
      </Form>
    </Dialog>
  );
}

function Delete({ role, onClose }: { role: Role; onClose: () => void }): ReactNode {
  const say = useTexts(texts);
  const { tenantId } = useTenant();
  const done = useDone();
  const act = async (): Promise<void> => {
    await api.call('deleteRole', { path: { tenantId, roleId: role.roleId } });
    const again = { roleId: role.roleId, name: role.name, description: role.description, actions: role.actions };
    done(say('deleted'), [[tenantId, 'roles']], () => api.call('createRole', { path: { tenantId }, body: again }));
  };
  return (
    <Confirm title={say('delete_role', { name: role.name })} deed={say('delete')} act={act} onClose={onClose}>
      <p>{say('delete_why')}</p>
    </Confirm>
  );
}
