import { createContext, type ReactNode, use, useCallback, useState } from 'react';
import { explain } from '../api/explain.js';
import { useLanguage, useTexts } from '../words/words.js';
import { Icon } from './icon.js';
import { common } from './texts.js';

interface Toast {
  id: number;
  text: string;
  failed: boolean;
  undo?: (() => void) | undefined;
}

interface Tell {
  done: (text: string, undo?: () => void) => void;
  /** `first`: what is said before the reason. */
  failed: (error: unknown, first?: string) => void;
  /** As `failed`, in words of one's own. */
  refused: (text: string) => void;
}

const Context = createContext<Tell>({ done: () => undefined, failed: () => undefined, refused: () => undefined });

export const useToasts = (): Tell => use(Context);

const STAYS = 6000;
let serial = 0;

/** Says in a corner what was done, with a way back where there is one, and what failed. */
export function Toasts({ children }: { children: ReactNode }): ReactNode {
  const say = useTexts(common);
  const { language } = useLanguage();
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  const drop = useCallback((id: number) => setToasts((before) => before.filter((toast) => toast.id !== id)), []);
  const add = useCallback(
    (toast: Omit<Toast, 'id'>) => {
      const id = ++serial;
      setToasts((before) => [...before.slice(-2), { ...toast, id }]);
      setTimeout(() => drop(id), toast.undo || toast.failed ? STAYS * 2 : STAYS);
    },
    [drop],
  );
  const done = useCallback((text: string, undo?: () => void) => add({ text, undo, failed: false }), [add]);
  const refused = useCallback((text: string) => add({ text, failed: true }), [add]);
  const failed = useCallback((error: unknown, first?: string) => refused([first, explain(error, language)].filter(Boolean).join(' ')), [refused, language]);
  return (
    <Context value={{ done, failed, refused }}>
      {children}
      <div className="toasts" role="status" aria-live="polite">
        {toasts.map((toast) => (
          <div key={toast.id} className={toast.failed ? 'toast failed' : 'toast'}>
            <Icon name={toast.failed ? 'warning' : 'check'} />
            <span>{toast.text}</span>
            {toast.undo && (
              <button
                type="button"
                className="link"
                onClick={() => {
                  toast.undo?.();
                  drop(toast.id);
                }}
              >
                {say('undo')}
              </button>
            )}
            <button type="button" className="icon-button" aria-label={say('close')} onClick={() => drop(toast.id)}>
              <Icon name="cross" />
            </button>
          </div>
        ))}
      </div>
    </Context>
  );
}
