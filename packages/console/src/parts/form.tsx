import { MisyProblem } from '@misy/api-client';
import {
  createContext,
  type InputHTMLAttributes,
  type ReactNode,
  type SyntheticEvent,
  use,
  useEffect,
  useId,
  useMemo,
  useRef,
  useState,
} from 'react';
import { mistake } from '../api/explain.js';
import { useLanguage, useTexts } from '../words/words.js';
import { Button, Problem } from './basics.js';
import { common } from './texts.js';

interface Submitting {
  busy: boolean;
  error: unknown;
  /** Fields tell where they stand, so that mistakes are shown there and no mistake is shown nowhere. */
  place: (pointer: string) => () => void;
}

const Context = createContext<Submitting>({ busy: false, error: undefined, place: () => () => undefined });

/** A form that does one thing at a time. Mistakes that the API names stand at their fields, the others above. */
export function Form({ submit, children, className }: { submit: () => Promise<unknown>; children: ReactNode; className?: string }): ReactNode {
  const [state, setState] = useState<{ busy: boolean; error: unknown }>({ busy: false, error: undefined });
  const [places, setPlaces] = useState<readonly string[]>([]);
  const element = useRef<HTMLFormElement>(null);
  const context = useMemo(() => {
    const place = (pointer: string): (() => void) => {
      setPlaces((before) => [...before, pointer]);
      return () => setPlaces((before) => before.filter((other) => other !== pointer));
    };
    return { ...state, place };
  }, [state]);
  useEffect(() => {
    if (state.error === undefined) return;
    const wrong = element.current?.querySelector<HTMLElement>('[aria-invalid=true]');
    // What stands above the fields may be out of sight of who has just pressed the button below them.
    if (wrong) wrong.focus();
    else element.current?.querySelector('.problem, .mistakes')?.scrollIntoView({ block: 'nearest' });
  }, [state.error]);
  const act = async (event: SyntheticEvent): Promise<void> => {
    event.preventDefault();
    event.stopPropagation();
    if (state.busy) return;
    setState({ busy: true, error: undefined });
    try {
      await submit();
      setState({ busy: false, error: undefined });
    } catch (error) {
      setState({ busy: false, error });
    }
  };
  const unplaced = unplacedOf(state.error, places);
  return (
    <form ref={element} className={className ?? 'form'} noValidate onSubmit={(event) => void act(event)}>
      <Context value={context}>
        {unplaced.isThere && <Problem error={state.error} />}
        {unplaced.mistakes.length > 0 && (
          <ul className="mistakes">
            {unplaced.mistakes.map(({ pointer, message }) => (
              <li key={pointer + message}>
                <code>{pointer}</code> {message}
              </li>
            ))}
          </ul>
        )}
        {children}
      </Context>
    </form>
  );
}

function unplacedOf(error: unknown, places: readonly string[]): { isThere: boolean; mistakes: { pointer: string; message: string }[] } {
  if (error === undefined) return { isThere: false, mistakes: [] };
  if (!(error instanceof MisyProblem) || error.errors.length === 0) return { isThere: true, mistakes: [] };
  const mistakes = error.errors.filter(({ pointer }) => !places.some((place) => isAt(pointer, place)));
  return { isThere: false, mistakes };
}

/** Whether a mistake is shown at a field: the field itself, or a part of what it holds. */
const isAt = (pointer: string, place: string): boolean => pointer === place || pointer.startsWith(`${place}/`);

/** What is wrong at a place of what was sent. */
export function useMistake(pointer: string | undefined): string | undefined {
  const { error, place } = use(Context);
  const { language } = useLanguage();
  useEffect(() => (pointer === undefined ? undefined : place(pointer)), [pointer, place]);
  if (!(error instanceof MisyProblem) || pointer === undefined) return undefined;
  const found = error.errors.find((one) => isAt(one.pointer, pointer));
  return found && mistake(found.code, found.message, language);
}

/** Whether something is wrong below a place. */
export function useHasMistake(pointer: string): boolean {
  const { error } = use(Context);
  return error instanceof MisyProblem && error.errors.some((one) => isAt(one.pointer, pointer));
}

Form.Buttons = function Buttons({ children }: { children: ReactNode }): ReactNode {
  return <div className="buttons">{children}</div>;
};

Form.Submit = function Submit({ children, look = 'primary', disabled = false }: { children: ReactNode; look?: 'primary' | 'danger'; disabled?: boolean }): ReactNode {
  const { busy } = use(Context);
  return (
    <Button type="submit" look={look} busy={busy} disabled={disabled || busy}>
      {children}
    </Button>
  );
};

interface FrameProps {
  label: string;
  hint?: ReactNode;
  /** Where its value stands in what is sent. */
  pointer?: string | undefined;
  optional?: boolean;
}

interface Described {
  id: string;
  'aria-describedby': string | undefined;
  'aria-invalid': boolean | undefined;
}

/** Label, hint and mistake around what a person fills in. */
export function Around({ label, hint, pointer, optional = false, children }: FrameProps & { children: (described: Described) => ReactNode }): ReactNode {
  const id = useId();
  const say = useTexts(common);
  const wrong = useMistake(pointer);
  const describedBy = [hint ? `${id}-hint` : '', wrong ? `${id}-wrong` : ''].filter(Boolean).join(' ');
  return (
    <div className="field">
      <label htmlFor={id}>
        {label}
        {optional && <span className="quiet"> · {say('optional')}</span>}
      </label>
      {children({ id, 'aria-describedby': describedBy || undefined, 'aria-invalid': wrong ? true : undefined })}
      {hint && (
        <p id={`${id}-hint`} className="hint">
          {hint}
        </p>
      )}
      {wrong && (
        <p id={`${id}-wrong`} className="wrong">
          {wrong}
        </p>
      )}
    </div>
  );
}

type InputProps = Omit<InputHTMLAttributes<HTMLInputElement>, 'value' | 'onChange'> & { value: string; onChange: (value: string) => void };

export function Field({ label, hint, pointer, optional, value, onChange, ...rest }: FrameProps & InputProps): ReactNode {
  return (
    <Around {...{ label, hint, pointer, ...(optional !== undefined && { optional }) }}>
      {(described) => <input {...described} {...rest} value={value} onChange={(event) => onChange(event.target.value)} />}
    </Around>
  );
}

export function Area({ label, hint, pointer, optional, value, onChange, rows = 3, mono = false }: FrameProps & { value: string; onChange: (value: string) => void; rows?: number; mono?: boolean }): ReactNode {
  return (
    <Around {...{ label, hint, pointer, ...(optional !== undefined && { optional }) }}>
      {(described) => (
        <textarea {...described} rows={rows} className={mono ? 'mono' : undefined} spellCheck={!mono} value={value} onChange={(event) => onChange(event.target.value)} />
      )}
    </Around>
  );
}

export function Select<T extends string>({ label, hint, pointer, value, onChange, options }: FrameProps & { value: T; onChange: (value: T) => void; options: readonly (readonly [T, string])[] }): ReactNode {
  const choose = (chosen: string): void => {
    const found = options.find(([option]) => option === chosen);
    if (found) onChange(found[0]);
  };
  return (
    <Around {...{ label, hint, pointer }}>
      {(described) => (
        <select {...described} value={value} onChange={(event) => choose(event.target.value)}>
          {options.map(([option, name]) => (
            <option key={option} value={option}>
              {name}
            </option>
          ))}
        </select>
      )}
    </Around>
  );
}

/** One thing that is so or not. */
export function Check({ label, hint, value, onChange }: { label: string; hint?: string; value: boolean; onChange: (value: boolean) => void }): ReactNode {
  const id = useId();
  return (
    <div className="field">
      <label className="check">
        <input type="checkbox" checked={value} aria-describedby={hint && id} onChange={(event) => onChange(event.target.checked)} />
        <span>{label}</span>
      </label>
      {hint && (
        <p id={id} className="hint">
          {hint}
        </p>
      )}
    </div>
  );
}

/** Some of a few things, each with a box to tick. */
export function Choices<T extends string>({ label, hint, pointer, value, onChange, options }: FrameProps & { value: readonly T[]; onChange: (value: T[]) => void; options: readonly { value: T; name: string; about?: string; disabled?: boolean }[] }): ReactNode {
  const id = useId();
  const wrong = useMistake(pointer);
  const toggle = (one: T, on: boolean): void => onChange(on ? [...value, one] : value.filter((other) => other !== one));
  return (
    <fieldset className="field choices" aria-describedby={wrong ? `${id}-wrong` : undefined}>
      <legend>{label}</legend>
      {hint && <p className="hint">{hint}</p>}
      <div className="choice-list">
        {options.map((option) => (
          <label key={option.value} className="check">
            <input
              type="checkbox"
              checked={value.includes(option.value)}
              disabled={option.disabled}
              aria-invalid={wrong ? true : undefined}
              onChange={(event) => toggle(option.value, event.target.checked)}
            />
            <span>
              {option.name}
              {option.about && <span className="quiet about"> {option.about}</span>}
            </span>
          </label>
        ))}
      </div>
      {wrong && (
        <p id={`${id}-wrong`} className="wrong">
          {wrong}
        </p>
      )}
    </fieldset>
  );
}

type TextKeys<T> = { [K in keyof T]: T[K] extends string ? K : never }[keyof T];

interface FormState<T> {
  value: T;
  set: <K extends keyof T>(key: K, value: T[K]) => void;
  reset: (value: T) => void;
  /** What a text field needs. */
  text: <K extends TextKeys<T>>(key: K) => { value: T[K]; onChange: (value: T[K]) => void };
}

/** What a person has filled in so far. */
export function useForm<T>(initial: T): FormState<T> {
  const [value, setValue] = useState(initial);
  const set = <K extends keyof T>(key: K, next: T[K]): void => setValue((before) => ({ ...before, [key]: next }));
  return { value, set, reset: setValue, text: (key) => ({ value: value[key], onChange: (next) => set(key, next) }) };
}

/** Lines of a text, without empty ones. */
export const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
