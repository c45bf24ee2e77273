// `/sign-in`: a password and a second factor, a passkey, or the organisation's own provider.
import { fragment, get, post, returnPath } from './api.js';
import { action, card, explain, field, form, make, page, start } from './dom.js';
import { canUsePasskeys, proveChallenge, signInWithPasskey } from './passkeys.js';
import { enrolSecondFactor } from './second-factor.js';
import { say } from './texts.js';

const given = fragment();
const query = new URLSearchParams(location.search);
const target = returnPath(given.get('returnTo') ?? query.get('returnTo'));
const go = () => location.assign(target);
let again = start_;

function follow(answer, credentials) {
  if (answer.status === 'second_factor_required') return secondFactor(answer.challenge, answer.factors);
  if (answer.status === 'tenant_required') return chooseTenant(answer.tenants, credentials);
  if (answer.secondFactorEnrollmentRequired) {
    again = () => enrolSecondFactor(go);
    return again();
  }
  return go();
}

function start_() {
  const fields = {
    email: field(say('email'), { type: 'email', autocomplete: 'username', spellcheck: false }),
    password: field(say('password'), { type: 'password', autocomplete: 'current-password' }),
  };
  const error = given.get('error');
  page(
    say('sign_in'),
    error && make('p', { className: 'problem', role: 'alert' }, explain({ code: error })),
    card(form(say('sign_in'), fields, async (credentials) => follow(await post('/auth/sign-in', credentials), credentials))),
    canUsePasskeys() && card(
      action(say('use_passkey'), 'plain wide-button', async () => follow(await signInWithPasskey())),
    ),
    card(
      make('p', { className: 'row between' },
        action(say('use_provider'), 'link', () => show(provider)),
        make('a', { href: '/reset-password' }, say('forgot_password'))),
    ),
  );
}

function show(step) {
  again = step;
  step();
}

function back() {
  return make('p', { className: 'or' }, action(say('back'), 'link', () => show(start_)));
}

function chooseTenant(tenants, credentials) {
  show(() => page(
    say('which_organisation'),
    card(...tenants.map(({ tenantId, tenantName }) => make('p', {}, action(tenantName, 'plain wide-button', async () =>
      follow(await post('/auth/sign-in', { ...credentials, tenantId }), credentials))))),
    back(),
  ));
}

function provider() {
  const tenantId = field(say('organisation_id'), { autocomplete: 'organization', spellcheck: false }, say('organisation_id_hint'));
  page(
    say('use_provider'),
    card(form(say('go_on'), { tenantId }, ({ tenantId: id }) => {
      const path = new URL(target, location.origin);
      const to = encodeURIComponent(path.pathname + path.search);
      location.assign(`/api/meta-agent/auth/oidc/${encodeURIComponent(id.trim())}/start?returnTo=${to}`);
    })),
    back(),
  );
}

/** What a code typed here says yes to, when a provider says who it is. */
function named({ provider, account }) {
  if (!provider) return false;
  return card(
    make('p', {}, say('provider_says')),
    make('dl', {},
      make('dt', {}, say('provider')), make('dd', { id: 'provider' }, provider),
      make('dt', {}, say('account_named')), make('dd', { id: 'account' }, account)),
    make('p', { className: 'quiet' }, say('provider_says_why')),
  );
}

function secondFactor(challenge, factors = ['totp'], by = {}) {
  const prove = (factor, label, properties) => form(say('confirm'), { code: field(label, properties) }, async ({ code }) =>
    follow(await post('/auth/second-factor', { challenge, factor, code: code.trim() })));
  const app = factors.includes('totp') && card(prove('totp', say('code'), {
    inputMode: 'numeric', autocomplete: 'one-time-code', maxLength: 6, spellcheck: false,
  }));
  const passkey = factors.includes('passkey') && canUsePasskeys() && card(
    action(say('use_passkey'), 'wide-button', async () => follow(await proveChallenge(challenge))),
  );
  const recovery = factors.includes('recovery_code') && make('details', { className: 'card' },
    make('summary', {}, say('use_recovery_code')),
    prove('recovery_code', say('recovery_code'), { autocomplete: 'off', spellcheck: false }));
  show(() => page(say('second_factor_now'), make('p', {}, say('second_factor_now_why')), named(by), app, passkey, recovery, back()));
}

const challenge = given.get('challenge');
start(() => again());
// Who says so and of which account, the server knows by a cookie of this browser. The link may come from anybody.
if (challenge) {
  try {
    const by = await get('/auth/second-factor');
    secondFactor(challenge, by.factors, by);
  } catch (error) {
    given.set('error', error.code ?? 'other');
    show(start_);
  }
}
