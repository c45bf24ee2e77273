// `/account`: who one is, how one signs in, and from where.
import { call, get, post } from './api.js';
import { action, card, field, form, make, page, section, start } from './dom.js';
import { addPasskey, canUsePasskeys } from './passkeys.js';
import { askAgainWhenNeeded, enrolApp, enrolSecondFactor, showCodes } from './second-factor.js';
import { moment, say } from './texts.js';

const DAY = 24 * 60 * 60 * 1000;
let again = account;

async function account() {
  const me = await get('/auth/me');
  if (me.secondFactorEnrollmentRequired) {
    again = () => enrolSecondFactor(back);
    return again();
  }
  const parts = await Promise.all([sessions(), passkeys(), tokens()]);
  document.getElementById('main').className = 'wide';
  return page(say('account'), who(me), ...parts.slice(0, 2), factors(), password(), parts[2]);
}

function back() {
  again = account;
  return load();
}

function who(me) {
  const { email, name, roles } = me.user;
  return card(
    make('p', {}, make('strong', {}, name), make('br'), email),
    make('p', { className: 'quiet' }, `${say('organisation')}: ${me.tenantId} · ${say('roles')}: ${roles.join(', ')}`),
    action(say('sign_out'), 'plain', async () => {
      await post('/auth/sign-out');
      location.assign('/sign-in');
    }),
  );
}

const item = (text, line, ...more) =>
  make('li', {}, make('div', { className: 'item' }, make('p', {}, text), make('p', { className: 'quiet' }, line)), ...more);
const used = (at) => (at ? `${say('last_used')}: ${moment(at)}` : say('never_used'));

/** The browser's own words, made short. */
function browserName(agent) {
  const browser = ['Edg', 'OPR', 'Firefox', 'Chrome', 'Safari'].find((name) => agent?.includes(name));
  const system = ['iPhone', 'iPad', 'Android', 'Windows', 'Mac OS', 'Linux'].find((name) => agent?.includes(name));
  const known = { Edg: 'Edge', OPR: 'Opera' }[browser] ?? browser;
  return [known, system].filter(Boolean).join(' · ') || say('unknown_browser');
}

async function sessions() {
  const { items } = await get('/auth/sessions');
  const list = items.map((one) => {
    const name = browserName(one.userAgent);
    const end = action(say('end_session'), 'danger', async () => {
      await call('DELETE', `/auth/sessions/${one.sessionId}`);
      await load();
    }, `${say('end_session_of')} ${name}`);
    const line = `${one.addressPrefix ?? ''} ${used(one.lastSeenAt)}`;
    return item(name, line, one.current ? make('span', { className: 'tag' }, say('this_browser')) : end);
  });
  const others = items.length > 1 && action(say('end_others'), 'plain', async () => {
    await call('DELETE', '/auth/sessions');
    await load();
  });
  return section(say('sessions'), make('ul', { className: 'items', id: 'sessions' }, ...list), others || '');
}

async function passkeys() {
  const { items } = await get('/auth/passkeys');
  const list = items.map((one) => item(
    one.name,
    `${say('added')}: ${moment(one.createdAt)} · ${used(one.lastUsedAt)}`,
    one.synchronised ? make('span', { className: 'tag' }, say('synchronised')) : '',
    action(say('rename'), 'plain', () => rename(one), `${say('rename')} ${one.name}`),
    action(say('remove'), 'danger', async () => {
      await call('DELETE', `/auth/passkeys/${one.passkeyId}`);
      await load();
    }, `${say('remove')} ${one.name}`),
  ));
  const add = canUsePasskeys() && action(say('add_passkey'), '', async () => {
    const answer = await addPasskey(`${say('passkey')} ${items.length + 1}`);
    if (answer.recoveryCodes) {
      again = () => showCodes(answer.recoveryCodes, back);
      again();
    } else await load();
  });
  const shown = list.length ? make('ul', { className: 'items', id: 'passkeys' }, ...list) : make('p', {}, say('no_passkeys'));
  return section(say('passkeys'), shown, add || '');
}

function rename(one) {
  const name = field(say('new_name'), { value: one.name, maxLength: 80, autocomplete: 'off' });
  const dialog = make('dialog', { 'aria-label': say('rename') }, form(say('save'), { name }, async (change) => {
    await call('PATCH', `/auth/passkeys/${one.passkeyId}`, change);
    dialog.remove();
    await load();
  }));
  const cancel = make('button', { type: 'button', className: 'link' }, say('cancel'));
  cancel.addEventListener('click', () => dialog.remove());
  dialog.addEventListener('cancel', () => dialog.remove());
  dialog.append(make('p', { className: 'or' }, cancel));
  document.body.append(dialog);
  dialog.showModal();
}

function factors() {
  return section(say('other_factors'), make('p', { className: 'row' },
    action(say('app_renew'), 'plain', async () => {
      again = () => enrolApp(back);
      await again();
    }),
    action(say('codes_renew'), 'plain', async () => {
      const { recoveryCodes } = await post('/auth/recovery-codes');
      again = () => showCodes(recoveryCodes, back);
      again();
    })));
}

function password() {
  const fields = {
    currentPassword: field(say('old_password'), { type: 'password', autocomplete: 'current-password' }),
    newPassword: field(say('new_password'), { type: 'password', autocomplete: 'new-password', minLength: 12 }, say('password_hint')),
  };
  const done = make('p', { className: 'done', role: 'status' });
  return section(say('change_password'), done, form(say('change_password'), fields, async (change) => {
    await post('/auth/password', change);
    for (const one of Object.values(fields)) one.input.value = '';
    done.textContent = say('changed');
  }));
}

async function tokens() {
  const { items } = await get('/auth/tokens');
  const list = items.filter((one) => !one.revokedAt).map((one) => item(
    `${one.name} (${one.prefix}…)`,
    `${one.scopes.join(' ')} · ${say('expires')}: ${moment(one.expiresAt)} · ${used(one.lastUsedAt)}`,
    action(say('revoke'), 'danger', async () => {
      await call('DELETE', `/auth/tokens/${one.tokenId}`);
      await load();
    }, `${say('revoke')} ${one.name}`),
  ));
  const fields = {
    name: field(say('token_name'), { maxLength: 120, autocomplete: 'off' }),
    scopes: field(say('token_scopes'), { autocomplete: 'off', spellcheck: false }, say('token_scopes_hint')),
    days: field(say('token_days'), { type: 'number', min: 1, max: 365, value: 90 }),
  };
  const shown = make('p', { className: 'done', role: 'status' });
  const create = form(say('new_token'), fields, async ({ name, scopes, days }) => {
    const expiresAt = new Date(Date.now() + Math.min(Number(days), 364.9) * DAY).toISOString();
    const made = await post('/auth/tokens', { name, scopes: scopes.trim().split(/[\s,]+/), expiresAt });
    shown.replaceChildren(say('token_made'), make('br'), make('code', {}, made.token));
  });
  return section(
    say('tokens'),
    make('p', { className: 'quiet' }, say('tokens_why')),
    list.length ? make('ul', { className: 'items', id: 'tokens' }, ...list) : make('p', {}, say('no_tokens')),
    shown,
    make('details', {}, make('summary', {}, say('new_token')), create),
  );
}

/** Shows the page again; whoever is not signed in goes to do so first. */
async function load() {
  try {
    await again();
  } catch (error) {
    if (error.status !== 401) throw error;
    location.assign('/sign-in?returnTo=/account');
  }
}

askAgainWhenNeeded();
start(load);
