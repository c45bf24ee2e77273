import type { Schemas } from '@misy/api-client';
import { type ReactNode, useState, useSyncExternalStore } from 'react';
import { questions } from '../api/asking.js';
import { api, readMe } from '../api/client.js';
import { Button } from '../parts/basics.js';
import { Dialog } from '../parts/dialog.js';
import { Area, Field, Form, useForm } from '../parts/form.js';
import { common } from '../parts/texts.js';
import { useTexts } from '../words/words.js';
import { canUsePasskeys, stepUpWithPasskey } from './passkey.js';
import { frame } from './texts.js';

type Answer = (value: string | undefined) => void;

/** Shows what a call needs from the person, whenever one does. */
export function Asked({ me }: { me: Schemas['SignedIn'] }): ReactNode {
  const asked = useSyncExternalStore(questions.subscribe, questions.now);
  if (asked?.question === 'second-factor') return <SecondFactor answer={asked.answer} />;
  if (asked?.question === 'reason') return <Reason answer={asked.answer} />;
  if (asked?.question === 'sign-in') return <SignedOut me={me} answer={asked.answer} />;
  return null;
}

function SecondFactor({ answer }: { answer: Answer }): ReactNode {
  const say = useTexts(frame);
  const all = useTexts(common);
  const form = useForm({ code: '' });
  const [factor, setFactor] = useState<'totp' | 'recovery_code'>('totp');
  const [missed, setMissed] = useState(false);
  const byCode = async (): Promise<void> => {
    const code = factor === 'totp' ? form.value.code.replaceAll(' ', '') : form.value.code.trim();
    answer((await api.call('stepUp', { body: { factor, code } })).csrfToken);
  };
  const byPasskey = async (): Promise<void> => {
    const proved = await stepUpWithPasskey().catch(() => undefined);
    if (proved) answer(proved.csrfToken);
    else setMissed(true);
  };
  const isApp = factor === 'totp';
  return (
    <Dialog title={say('prove_again')} onClose={() => answer(undefined)}>
      <Form submit={byCode}>
        <p className="quiet">{say('prove_again_why')}</p>
        <Field
          label={say(isApp ? 'code' : 'recovery_code')}
          pointer="/code"
          {...form.text('code')}
          {...(isApp ? ({ inputMode: 'numeric', autoComplete: 'one-time-code', maxLength: 7 } as const) : { autoComplete: 'off' })}
          spellCheck={false}
          required
        />
        {missed && (
          <p className="wrong" role="alert">
            {say('passkey_not_used')}
          </p>
        )}
        <p className="links">
          {canUsePasskeys() && (
            <button type="button" className="link" onClick={() => void byPasskey()}>
              {say('use_passkey')}
            </button>
          )}
          <button type="button" className="link" onClick={() => setFactor(isApp ? 'recovery_code' : 'totp')}>
            {say(isApp ? 'use_recovery_code' : 'use_app')}
          </button>
        </p>
        <Form.Buttons>
          <Button onClick={() => answer(undefined)}>{all('cancel')}</Button>
          <Form.Submit disabled={form.value.code.trim() === ''}>{say('confirm')}</Form.Submit>
        </Form.Buttons>
      </Form>
    </Dialog>
  );
}

function Reason({ answer }: { answer: Answer }): ReactNode {
  const say = useTexts(frame);
  const all = useTexts(common);
  const form = useForm({ reason: '' });
  const reason = form.value.reason.trim();
  const submit = (): Promise<void> => {
    answer(reason);
    return Promise.resolve();
  };
  return (
    <Dialog title={say('why')} onClose={() => answer(undefined)}>
      <Form submit={submit}>
        <p className="quiet">{say('why_why')}</p>
        <Area label={all('reason')} hint={all('reason_hint')} {...form.text('reason')} />
        <Form.Buttons>
          <Button onClick={() => answer(undefined)}>{all('cancel')}</Button>
          <Form.Submit disabled={reason.length < 10}>{say('confirm')}</Form.Submit>
        </Form.Buttons>
      </Form>
    </Dialog>
  );
}

/** The session ended while somebody works: they sign in elsewhere, and what they were doing goes on. */
function SignedOut({ me, answer }: { me: Schemas['SignedIn']; answer: Answer }): ReactNode {
  const say = useTexts(frame);
  const [missed, setMissed] = useState(false);
  const look = async (): Promise<void> => {
    try {
      const now = await readMe();
      // Somebody else came in: what is on this page is not theirs.
      if (now.user.userId !== me.user.userId) location.reload();
      else answer(now.csrfToken);
    } catch {
      setMissed(true);
    }
  };
  return (
    <Dialog title={say('signed_out')} onClose={() => answer(undefined)}>
      <p>{say('signed_out_why')}</p>
      {missed && (
        <p className="wrong" role="alert">
          {say('not_in_yet')}
        </p>
      )}
      <div className="buttons">
        <a className="button plain" href="/sign-in" target="_blank" rel="noreferrer">
          {say('sign_in_tab')}
        </a>
        <Button look="primary" onClick={() => void look()}>
          {say('i_am_in')}
        </Button>
      </div>
    </Dialog>
  );
}
