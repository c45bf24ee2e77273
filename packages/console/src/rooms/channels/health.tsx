import type { Schemas } from '@misy/api-client';
import type { ReactNode } from 'react';
import { Badge, Button } from '../../parts/basics.js';
import { useTexts } from '../../words/words.js';
import { type Account, isReason, isVendorKind } from './kinds.js';
import { texts } from './texts.js';

/** What the vendor was asked of an account: nothing said yet, or its answer. */
export type Check = 'asked' | Schemas['ChannelTest'];

/** Whether an account takes and sends messages, and why it does not if the program itself stopped it. */
export function State({ account: { status, disabledReason } }: { account: Account }): ReactNode {
  const say = useTexts(texts);
  return (
    <span>
      <Badge tone={status === 'active' ? 'good' : 'warn'}>{say(status)}</Badge>
      {disabledReason && <span className="quiet about">{isReason(disabledReason) ? say(disabledReason) : <code>{disabledReason}</code>}</span>}
    </span>
  );
}

interface HealthProps {
  account: Account;
  check: Check | undefined;
  /** Asks the vendor. */
  ask: (() => void) | undefined;
  /** Shows what was delivered. */
  watch: () => void;
}

/** What the vendor says of an account, when somebody asks; a program of one's own is judged by what it takes. */
export function Health({ account, check, ask, watch }: HealthProps): ReactNode {
  const say = useTexts(texts);
  if (!isVendorKind(account.channel)) {
    return (
      <Button look="quiet" aria-label={`${say('by_deliveries')}: ${account.name}`} onClick={watch}>
        {say('by_deliveries')}
      </Button>
    );
  }
  return (
    <span className="health">
      <span aria-live="polite">
        {check === 'asked' && <span className="quiet">{say('checking')}</span>}
        {check && check !== 'asked' && <Said {...check} />}
      </span>
      {!check && ask && (
        <Button look="quiet" aria-label={`${say('check')}: ${account.name}`} onClick={ask}>
          {say('check')}
        </Button>
      )}
    </span>
  );
}

function Said({ works, reason, code }: Schemas['ChannelTest']): ReactNode {
  const say = useTexts(texts);
  if (works) return <Badge tone="good">{say('works')}</Badge>;
  const why = reason && (isReason(reason) ? say(reason) : reason);
  return (
    <>
      <Badge tone="bad">{say('fails')}</Badge>
      <span className="quiet about">
        {why}
        {typeof code === 'number' && ` (${say('vendor_code', { code: String(code) })})`}
      </span>
    </>
  );
}
