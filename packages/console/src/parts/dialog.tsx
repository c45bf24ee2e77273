import { type ReactNode, type SyntheticEvent, useId, useLayoutEffect, useRef, useState } from 'react';
import { useTexts } from '../words/words.js';
import { Button, Code } from './basics.js';
import { Icon } from './icon.js';
import { Field, Form, useForm } from './form.js';
import { common } from './texts.js';

interface DialogProps {
  title: string;
  children: ReactNode;
  /** When it is closed otherwise than by one of its buttons. Without it, it stays. */
  onClose?: (() => void) | undefined;
  look?: 'middle' | 'wide' | 'drawer' | 'top';
}

/** A dialog of the browser itself: what is behind it can be neither reached nor read, and the focus goes back to where it was. */
export function Dialog({ title, children, onClose, look = 'middle' }: DialogProps): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  const cancel = (event: SyntheticEvent): void => {
    event.preventDefault();
    if (event.target === dialog.current) onClose?.();
  };
  return (
    <dialog ref={dialog} className={`dialog ${look}`} aria-labelledby={id} onCancel={cancel}>
      <header className="dialog-head">
        <h2 id={id}>{title}</h2>
        {onClose && <CloseButton onClose={onClose} />}
      </header>
      {children}
    </dialog>
  );
}

function CloseButton({ onClose }: { onClose: () => void }): ReactNode {
  const say = useTexts(common);
  return (
    <button type="button" className="icon-button" aria-label={say('close')} onClick={onClose}>
      <Icon name="cross" />
    </button>
  );
}

interface ConfirmProps {
  title: string;
  children: ReactNode;
  /** What the button says: the deed, not "OK". */
  deed: string;
  /** What the button says that leaves things as they are, where "cancel" would be the deed. */
  keep?: string;
  /** A word to be typed first, for what cannot be undone. */
  word?: string | undefined;
  /** Whether the person must say why. */
  needsReason?: boolean;
  harmless?: boolean;
  act: (reason: string | undefined) => Promise<unknown>;
  /** After the deed, and when the person would rather not, unless `dismiss` says what then. */
  onClose: () => void;
  dismiss?: () => void;
}

/** Asks before something is done that cannot be taken back. */
export function Confirm({ title, children, deed, keep, word, needsReason = false, harmless = false, act, onClose, dismiss = onClose }: ConfirmProps): ReactNode {
  const say = useTexts(common);
  const form = useForm({ word: '', reason: '' });
  const ready = (word === undefined || form.value.word.trim() === word) && (!needsReason || form.value.reason.trim().length >= 10);
  const submit = async (): Promise<void> => {
    await act(needsReason ? form.value.reason.trim() : undefined);
    onClose();
  };
  return (
    <Dialog title={title} onClose={dismiss}>
      <Form submit={submit}>
        <div className="prose">{children}</div>
        {needsReason && <Field label={say('reason')} hint={say('reason_hint')} pointer="/reason" {...form.text('reason')} required />}
        {word !== undefined && <Field label={say('type_to_confirm', { word })} {...form.text('word')} autoComplete="off" spellCheck={false} />}
        <Form.Buttons>
          <Button onClick={dismiss}>{keep ?? say('cancel')}</Button>
          <Form.Submit look={harmless ? 'primary' : 'danger'} disabled={!ready}>
            {deed}
          </Form.Submit>
        </Form.Buttons>
      </Form>
    </Dialog>
  );
}

/** Something that is shown once: the dialog stays until the person says that they have kept it. */
export function ShownOnce({ title, secrets, children, onClose }: { title: string; secrets: readonly { name: string; text: string }[]; children?: ReactNode; onClose: () => void }): ReactNode {
  const say = useTexts(common);
  const [kept, setKept] = useState(false);
  return (
    <Dialog title={title}>
      <p className="notice warn">
        <Icon name="warning" />
        {say('shown_once')}
      </p>
      {secrets.map(({ name, text }) => (
        <div key={name} className="field">
          <span className="label">{name}</span>
          <Code text={text} />
        </div>
      ))}
      {children}
      <div className="buttons">
        <label className="check">
          <input type="checkbox" checked={kept} onChange={(event) => setKept(event.target.checked)} />
          {say('kept')}
        </label>
        <Button look="primary" disabled={!kept} onClick={onClose}>
          {say('done')}
        </Button>
      </div>
    </Dialog>
  );
}
