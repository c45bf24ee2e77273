import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from 'react';
import { api } from '../../api/client.js';
import { keep, readKept } from '../../frame/kept.js';
import { useTenant } from '../../frame/tenant.js';
import { Button } from '../../parts/basics.js';
import { useTexts, useWriting } from '../../words/words.js';
import { texts } from './texts.js';

/** The contact sees that somebody writes for eight seconds after each word of it. */
const TELL_EVERY_MS = 4000;
const MOST = 4000;

/** Where a person answers. What they type is kept until it is sent. */
export function Composer({ conversationId, may, why, windowClosesAt, send }: { conversationId: string; may: boolean; why: string; windowClosesAt: string | undefined; send: (text: string) => void }): ReactNode {
  const say = useTexts(texts);
  const write = useWriting();
  const id = useId();
  const { tenantId, me } = useTenant();
  const draft = `draft/${tenantId}/${conversationId}`;
  const [text, setText] = useState(() => readKept(me.user.userId, draft));
  const told = useRef(0);
  const change = (next: string): void => {
    setText(next);
    keep(me.user.userId, draft, next);
    const now = Date.now();
    if (next !== '' && now - told.current > TELL_EVERY_MS) {
      told.current = now;
      // Nobody is told when this fails: it matters to nobody.
      void api.call('showTyping', { path: { tenantId, conversationId }, body: { active: true } }).catch(() => undefined);
    }
  };
  const submit = (): void => {
    const said = text.trim();
    if (said === '' || said.length > MOST) return;
    send(said);
    change('');
    told.current = 0;
  };
  const press = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' && event.currentTarget instanceof HTMLElement) event.currentTarget.blur();
    // Not while an input method puts a word together.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    submit();
  };
  if (!may) {
    return (
      <p className="composer-closed quiet" role="status">
        {why}
        {text !== '' && <span className="composer-draft"> {text}</span>}
      </p>
    );
  }
  const isClosed = windowClosesAt !== undefined && Date.parse(windowClosesAt) < Date.now();
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      {windowClosesAt !== undefined && <p className={isClosed ? 'small warn-text' : 'small quiet'}>{isClosed ? say('window_closed') : say('window_ends', { at: write.moment(windowClosesAt) })}</p>}
      <label htmlFor={id} className="hidden">
        {say('reply_to')}
      </label>
      <textarea id={id} data-key="r" rows={2} dir="auto" maxLength={MOST} value={text} placeholder={say('reply_to')} aria-describedby={`${id}-hint`} onChange={(event) => change(event.target.value)} onKeyDown={press} />
      <div className="composer-foot">
        <span id={`${id}-hint`} className="hint">
          {say('send_hint')}
        </span>
        <Button type="submit" look="primary" disabled={text.trim() === ''}>
          {say('send')}
        </Button>
      </div>
    </form>
  );
}
