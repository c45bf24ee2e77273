// A second factor is enrolled: a passkey, or an app and its recovery codes. And it is proved again where it must be fresh.
import { onStepUp, post } from './api.js';
import { action, card, explain, field, form, make, page } from './dom.js';
import { addPasskey, canUsePasskeys, stepUpWithPasskey } from './passkeys.js';
import { say } from './texts.js';

const code = () =>
  field(say('code'), { inputMode: 'numeric', autocomplete: 'one-time-code', maxLength: 6, spellcheck: false });

/** What a device is called when nobody says more. */
function deviceName() {
  const agent = navigator.userAgent;
  const found = ['iPhone', 'iPad', 'Android', 'Windows', 'Mac', 'Linux'].find((name) => agent.includes(name));
  return found ?? say('passkey');
}

/** Lets somebody choose and enrol a second factor, then shows recovery codes if there are new ones, then `done`. */
export function enrolSecondFactor(done) {
  const passkey = canUsePasskeys() && card(
    make('h2', {}, say('with_passkey')),
    make('p', { className: 'quiet' }, say('with_passkey_why')),
    action(say('add_passkey'), 'wide-button', async () => {
      const answer = await addPasskey(deviceName());
      showCodes(answer.recoveryCodes, done);
    }),
  );
  const app = card(
    make('h2', {}, say('with_app')),
    make('p', { className: 'quiet' }, say('with_app_why')),
    action(say('set_up_app'), passkey ? 'plain wide-button' : 'wide-button', () => enrolApp(done)),
  );
  page(say('second_factor'), make('p', {}, say('second_factor_why')), passkey, app);
}

/** Shows the secret of an app as a picture and as text, and takes its first code. */
export async function enrolApp(done) {
  const { qrCode, secret } = await post('/auth/totp');
  page(
    say('with_app'),
    card(
      make('p', {}, say('scan')),
      make('img', { className: 'qr', src: qrCode, alt: say('qr_alt') }),
      make('details', {}, make('summary', {}, say('no_camera')), make('p', {}, make('code', { id: 'secret' }, secret))),
    ),
    card(form(say('confirm'), { code: code() }, async ({ code: typed }) => {
      const answer = await post('/auth/totp/confirm', { code: typed.replaceAll(' ', '') });
      showCodes(answer.recoveryCodes, done);
    })),
  );
}

/** Shows recovery codes, which are not shown again. */
export function showCodes(codes, done) {
  if (!codes?.length) return done();
  const kept = make('input', { type: 'checkbox' });
  const go = action(say('go_on'), 'wide-button', done);
  go.disabled = true;
  kept.addEventListener('change', () => (go.disabled = !kept.checked));
  const copied = make('span', { className: 'quiet', role: 'status' });
  page(
    say('recovery_codes'),
    card(
      make('p', {}, say('recovery_codes_why')),
      make('ol', { className: 'codes', id: 'codes' }, ...codes.map((one) => make('li', {}, one))),
      make('p', { className: 'row' }, action(say('copy'), 'plain', async () => {
        await navigator.clipboard.writeText(codes.join('\n'));
        copied.textContent = say('copied');
      }), copied),
      make('label', { className: 'check' }, kept, say('codes_kept')),
    ),
    go,
  );
}

/** Asks for the second factor again, in a dialog, whenever a call needs it fresh. */
export function askAgainWhenNeeded() {
  onStepUp(() => new Promise((resolve) => {
    const dialog = make('dialog', { 'aria-labelledby': 'step-up-title' });
    const finish = (proved) => {
      dialog.remove();
      resolve(proved);
    };
    const problem = make('p', { className: 'problem', role: 'alert' });
    const withPasskey = canUsePasskeys() && make('button', { type: 'button', className: 'plain wide-button' }, say('use_passkey'));
    if (withPasskey) {
      withPasskey.addEventListener('click', async () => {
        try {
          await stepUpWithPasskey();
          finish(true);
        } catch (error) {
          problem.textContent = explain(error);
        }
      });
    }
    const cancel = make('button', { type: 'button', className: 'link' }, say('cancel'));
    cancel.addEventListener('click', () => finish(false));
    dialog.addEventListener('cancel', () => finish(false));
    dialog.append(
      make('h2', { id: 'step-up-title' }, say('prove_again')),
      make('p', { className: 'quiet' }, say('prove_again_why')),
      problem,
      form(say('confirm'), { code: code() }, async ({ code: typed }) => {
        await post('/auth/step-up', { factor: 'totp', code: typed.replaceAll(' ', '') });
        finish(true);
      }),
      make('p', {}, withPasskey || ''),
      make('p', { className: 'or' }, cancel),
    );
    document.body.append(dialog);
    dialog.showModal();
  }));
}
