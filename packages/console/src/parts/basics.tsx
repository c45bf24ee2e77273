import { MisyProblem } from '@misy/api-client';
import { type ButtonHTMLAttributes, type ReactNode, useId, useState } from 'react';
import { explain } from '../api/explain.js';
import { useLanguage, useTexts, useWriting } from '../words/words.js';
import { Icon, type IconName } from './icon.js';
import { useMinute } from './minute.js';
import { common } from './texts.js';

type Look = 'primary' | 'plain' | 'quiet' | 'danger';

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look;
  icon?: IconName;
  busy?: boolean;
}

export function Button({ look = 'plain', icon, busy = false, children, className, ...rest }: ButtonProps): ReactNode {
  const classes = ['button', look, className].filter(Boolean).join(' ');
  return (
    <button type="button" {...rest} className={classes} disabled={rest.disabled ?? busy} aria-busy={busy || undefined}>
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

/** The head of a room and what is in it. */
export function Page({ title, about, actions, children }: { title: string; about?: ReactNode; actions?: ReactNode; children: ReactNode }): ReactNode {
  return (
    <>
      <title>{`${title} · Misy`}</title>
      <header className="page-head">
        <div>
          <h1 tabIndex={-1}>{title}</h1>
          {about && <p className="quiet">{about}</p>}
        </div>
        {actions && <div className="page-actions">{actions}</div>}
      </header>
      {children}
    </>
  );
}

export function Section({ title, about, actions, children }: { title: string; about?: ReactNode; actions?: ReactNode; children: ReactNode }): ReactNode {
  const id = useId();
  return (
    <section className="section" aria-labelledby={id}>
      <header className="section-head">
        <div>
          <h2 id={id}>{title}</h2>
          {about && <p className="quiet">{about}</p>}
        </div>
        {actions}
      </header>
      {children}
    </section>
  );
}

export const Card = ({ children }: { children: ReactNode }): ReactNode => <div className="card">{children}</div>;

export type Tone = 'good' | 'bad' | 'warn' | 'calm';

export const Badge = ({ tone = 'calm', children }: { tone?: Tone; children: ReactNode }): ReactNode => (
  <span className={`badge ${tone}`}>{children}</span>
);

export function Empty({ icon, title, children, action }: { icon: IconName; title: string; children?: ReactNode; action?: ReactNode }): ReactNode {
  return (
    <div className="empty">
      <Icon name={icon} />
      <p className="empty-title">{title}</p>
      {children && <p className="quiet">{children}</p>}
      {action}
    </div>
  );
}

/** What went wrong, what it means, and the number to quote. */
export function Problem({ error, again }: { error: unknown; again?: (() => void) | undefined }): ReactNode {
  const { language } = useLanguage();
  const say = useTexts(common);
  return (
    <div className="problem" role="alert">
      <Icon name="warning" />
      <div>
        <p>{explain(error, language)}</p>
        {error instanceof MisyProblem && error.status >= 500 && <p className="quiet mono">{say('request', { id: error.requestId })}</p>}
      </div>
      {again && <Button onClick={again}>{say('retry')}</Button>}
    </div>
  );
}

/** Grey lines where something will stand. */
export function Skeleton({ lines = 3 }: { lines?: number }): ReactNode {
  const say = useTexts(common);
  return (
    <div className="skeleton" role="status">
      <span className="hidden">{say('loading')}</span>
      {Array.from({ length: lines }, (_, at) => (
        <span key={at} className="bone" />
      ))}
    </div>
  );
}

/** A moment as the reader writes it; how long ago it was, and when exactly on hovering. */
export function Time({ at, exact = false }: { at: string; exact?: boolean }): ReactNode {
  const write = useWriting();
  useMinute();
  return (
    <time dateTime={at} title={write.moment(at)}>
      {exact ? write.moment(at) : write.ago(at)}
    </time>
  );
}

export function Copy({ text, label }: { text: string; label?: string }): ReactNode {
  const say = useTexts(common);
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <Button look="quiet" icon={copied ? 'check' : 'copy'} onClick={() => void copy()}>
      <span aria-live="polite">{copied ? say('copied') : (label ?? say('copy'))}</span>
    </Button>
  );
}

/** Text for machines, to be copied. */
export function Code({ text }: { text: string }): ReactNode {
  return (
    <div className="code">
      <pre tabIndex={0}>
        <code>{text}</code>
      </pre>
      <Copy text={text} />
    </div>
  );
}

/** What a thing is, in pairs. */
export function Facts({ children }: { children: ReactNode }): ReactNode {
  return <dl className="facts">{children}</dl>;
}

export function Fact({ name, children }: { name: string; children: ReactNode }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
