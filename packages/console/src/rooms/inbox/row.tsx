import { Link } from '@tanstack/react-router';
import { memo, type ReactNode } from 'react';
import { Badge, Time, type Tone } from '../../parts/basics.js';
import { useMinute } from '../../parts/minute.js';
import { useTexts, useWriting } from '../../words/words.js';
import type { Conversation } from './lists.js';
import { texts } from './texts.js';

const TONES: Readonly<Record<Conversation['state'], Tone>> = { assistant: 'calm', waiting: 'warn', person: 'good', closed: 'calm' };

/** A short name for somebody whose name nobody knows. */
export const shortId = (contactId: string): string => contactId.slice(-4).toUpperCase();

/** Who answers, in a word. */
export function State({ conversation, me }: { conversation: Conversation; me: string }): ReactNode {
  const say = useTexts(texts);
  const write = useWriting();
  useMinute();
  const { state, assignee, waitingSince } = conversation;
  const name = assignee?.userId === me ? say('you') : (assignee?.name ?? '');
  return <Badge tone={TONES[state]}>{state === 'person' ? name : [say(`state_${state}`), waitingSince && write.lasting(waitingSince)].filter(Boolean).join(' ')}</Badge>;
}

/** A conversation in the list. */
export const Row = memo(function Row({ conversation, me, open, unread, notSent, tenantId }: { conversation: Conversation; me: string; open: boolean; unread: boolean; notSent: boolean; tenantId: string }): ReactNode {
  const say = useTexts(texts);
  const { conversationId, contactId, channel, state, newest, activeAt, erased } = conversation;
  const by = newest?.role === 'agent' ? say('by_assistant') : newest?.role === 'human' ? say('by_team') : '';
  return (
    <li className="inbox-row">
      <Link
        to="/$tenantId/inbox/$conversationId"
        params={{ tenantId, conversationId }}
        preload={false}
        className={unread ? 'inbox-link unread' : 'inbox-link'}
        aria-current={open ? 'true' : undefined}
        ref={(element) => {
          if (open) element?.scrollIntoView({ block: 'nearest' });
        }}
      >
        <span className="inbox-line">
          <span className="inbox-name">
            {unread && <span className="hidden">{say('unread')} </span>}
            <span className="strong">{say('visitor', { id: shortId(contactId) })}</span> <span className="quiet small">{say(channel)}</span>
          </span>
          <span className="quiet small">
            <Time at={activeAt} />
          </span>
        </span>
        <span className="inbox-words" dir="auto">
          {by && <bdi>{by}</bdi>} {erased ? say('erased') : newest === null || newest === undefined || newest.text === '' ? say('no_words') : newest.text}
        </span>
        {(state !== 'assistant' || notSent) && (
          <span className="badges">
            <State conversation={conversation} me={me} />
            {notSent && <Badge tone="bad">{say('not_sent_mark')}</Badge>}
          </span>
        )}
      </Link>
    </li>
  );
});
