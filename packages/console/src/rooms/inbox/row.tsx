import { Link } from '@tanstack/react-router';
import { memo, type ReactNode } from 'react';
import { Badge, Time, type Tone } from '../../parts/basics.js';
import { useTexts } from '../../words/words.js';
import type { Conversation } from './lists.js';
import { texts } from './texts.js';

const TONES: Readonly<Record<Conversation['state'], Tone>> = { assistant: 'calm', waiting: 'warn', person: 'good', closed: 'calm' };

/** A short name for somebody whose name nobody knows. */
export const shortId = (contactId: string): string => contactId.slice(-4).toUpperCase();

/** Who answers, in a word. */
export function State({ conversation, me }: { conversation: Conversation; me: string }): ReactNode {
  const say = useTexts(texts);
  const { state, assignee } = conversation;
  const name = assignee?.userId === me ? say('you') : (assignee?.name ?? '');
  return <Badge tone={TONES[state]}>{state === 'person' ? name : say(`state_${state}`)}</Badge>;
}

/** A conversation in the list. */
export const Row = memo(function Row({ conversation, me, open, notSent, tenantId }: { conversation: Conversation; me: string; open: boolean; notSent: boolean; tenantId: string }): ReactNode {
  const say = useTexts(texts);
  const { conversationId, contactId, channel, newest, activeAt } = conversation;
  return (
    <li className="inbox-row">
      <Link
        to="/$tenantId/inbox/$conversationId"
        params={{ tenantId, conversationId }}
        preload={false}
        className="inbox-link"
        aria-current={open ? 'true' : undefined}
        ref={(element) => {
          if (open) element?.scrollIntoView({ block: 'nearest' });
        }}
      >
        <span className="inbox-line">
          <span className="strong">{say('visitor', { id: shortId(contactId) })}</span>
          <span className="quiet small">
            <Time at={activeAt} />
          </span>
        </span>
        <span className="inbox-words" dir="auto">
          {newest === null || newest === undefined || newest.text === '' ? say('no_words') : newest.text}
        </span>
        <span className="inbox-line">
          <span className="quiet small">{say(channel)}</span>
          {notSent && <Badge tone="bad">{say('not_sent_mark')}</Badge>}
          <State conversation={conversation} me={me} />
        </span>
      </Link>
    </li>
  );
});
