import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { Schemas } from '@misy/api-client';
import { api } from '../../api/client.js';
import { explain } from '../../api/explain.js';
import { useTenant } from '../../frame/tenant.js';
import { Button, Problem, Skeleton } from '../../parts/basics.js';
import { useToasts } from '../../parts/toasts.js';
import { useLanguage, useTexts, useWriting } from '../../words/words.js';
import { useOutbox, useOutgoing } from './outbox.js';
import { type Message, type Said, withEarlier, withNewest } from './said.js';
import { texts } from './texts.js';

/** What was said, the newest in view. Whatever a contact wrote is shown as text and nothing else. */
export function Transcript({ conversationId }: { conversationId: string }): ReactNode {
  const say = useTexts(texts);
  const { language } = useLanguage();
  const { tenantId } = useTenant();
  const queries = useQueryClient();
  const toasts = useToasts();
  const outbox = useOutbox();
  const outgoing = useOutgoing(conversationId);
  const [isLoading, setIsLoading] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const path = { tenantId, conversationId };
  const key = [tenantId, 'said', conversationId];
  const said = useQuery({
    queryKey: key,
    queryFn: async ({ signal }) => withNewest(queries.getQueryData<Said>(key), await api.call('listConversationMessages', { path, query: { limit: 50 }, signal })),
  });
  const earlier = async (): Promise<void> => {
    const cursor = said.data?.earlier;
    if (cursor === undefined) return;
    setIsLoading(true);
    try {
      const page = await api.call('listConversationMessages', { path, query: { limit: 50, cursor } });
      const element = box.current;
      const fromEnd = element ? element.scrollHeight - element.scrollTop : 0;
      queries.setQueryData<Said>(key, (known) => known && withEarlier(known, page));
      requestAnimationFrame(() => {
        if (element) element.scrollTop = element.scrollHeight - fromEnd;
      });
    } catch (problem) {
      toasts.failed(problem);
    } finally {
      setIsLoading(false);
    }
  };
  const items = said.data?.items ?? [];
  const known = new Set(items.map(({ clientMessageId }) => clientMessageId));
  const onTheirWay = outgoing.filter(({ clientMessageId }) => !known.has(clientMessageId));
  const newest = items.at(-1)?.sequence;
  useLayoutEffect(() => {
    const element = box.current;
    if (element && atEnd.current) element.scrollTop = element.scrollHeight;
  }, [newest, onTheirWay.length]);
  useEffect(() => {
    atEnd.current = true;
  }, [conversationId]);
  return (
    <div
      ref={box}
      className="said"
      role="log"
      aria-label={say('said')}
      tabIndex={0}
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        atEnd.current = scrollHeight - scrollTop - clientHeight < 80;
      }}
    >
      {said.error && <Problem error={said.error} again={() => void said.refetch()} />}
      {said.isPending && <Skeleton lines={6} />}
      {said.data?.earlier !== undefined && (
        <Button look="quiet" busy={isLoading} onClick={() => void earlier()}>
          {say('earlier')}
        </Button>
      )}
      {items.map((message, at) => (
        <Bubble key={message.messageId} message={message} goesOn={goesOn(items[at - 1], message)} delivery={said.data?.deliveries[message.messageId]} />
      ))}
      {onTheirWay.map((message) => (
        <article key={message.clientMessageId} className="bubble human">
          <p dir="auto">{message.text}</p>
          {message.failed ? (
            <p className="bubble-foot bad" role="alert">
              {say('not_sent')} {message.problem !== undefined && explain(message.problem, language)}{' '}
              <button type="button" className="link" onClick={() => outbox.again(conversationId)}>
                {say('again')}
              </button>{' '}
              <button type="button" className="link" onClick={() => outbox.discard(conversationId, message.clientMessageId)}>
                {say('discard')}
              </button>
            </p>
          ) : (
            <p className="bubble-foot quiet">{say(outgoing.some(({ failed }) => failed) ? 'waits' : 'sending')}</p>
          )}
        </article>
      ))}
    </div>
  );
}

/** What one says within this time stands close together. */
const TOGETHER_MS = 5 * 60_000;

const DELIVERIES = ['queued', 'sent', 'delivered', 'read', 'failed'] as const;

/** Whether somebody goes on with what they just said. */
const goesOn = (before: Message | undefined, message: Message): boolean =>
  before?.role === message.role && before.authorName === message.authorName && Date.parse(message.createdAt) - Date.parse(before.createdAt) < TOGETHER_MS;

function Bubble({ message, goesOn: isMore, delivery }: { message: Message; goesOn: boolean; delivery: Schemas['DeliveryOfMessage'] | undefined }): ReactNode {
  const say = useTexts(texts);
  const write = useWriting();
  const { role, authorName, parts, createdAt, sources } = message;
  const author = { contact: say('contact'), agent: say('assistant'), human: authorName ?? '', system: say('system') }[role];
  const status = DELIVERIES.find((one) => one === delivery?.status);
  return (
    <article className={isMore ? `bubble ${role} more` : `bubble ${role}`}>
      <p className={isMore ? 'hidden' : 'bubble-head small'}>
        <span className="strong">{author}</span>{' '}
        <span className="quiet">
          <time dateTime={createdAt} title={write.moment(createdAt)}>
            {write.time(createdAt)}
          </time>
        </span>
      </p>
      {parts.map((part, at) => (
        <Words key={at} part={part} />
      ))}
      {sources && sources.length > 0 && <p className="bubble-foot quiet">{sources.map(({ title }) => title).join(' · ')}</p>}
      {delivery && status && (
        <p className={delivery.error || status === 'failed' ? 'bubble-foot bad' : 'bubble-foot quiet'}>
          {delivery.error === 'window_closed' ? say('window_closed') : say(`delivery_${status}`)}
          {delivery.error && delivery.error !== 'window_closed' && (
            <>
              {' · '}
              <code>{delivery.error}</code>
            </>
          )}
        </p>
      )}
    </article>
  );
}

/** What a part says in words; a file is a link that is good for a few minutes. */
function Words({ part }: { part: Schemas['Part'] }): ReactNode {
  const say = useTexts(texts);
  const words = [part.text, part.title, part.caption].find((one) => typeof one === 'string' && one !== '');
  const url = part.fileId && part.url;
  return (
    <>
      {words && <p dir="auto">{words}</p>}
      {url && (
        <p>
          <a href={url} target="_blank" rel="noreferrer noopener">
            {say('file', { name: part.name ?? part.mediaType ?? part.type })}
          </a>
        </p>
      )}
      {part.buttons && part.buttons.length > 0 && (
        <ul className="bubble-choices">
          {part.buttons.map(({ id, title }) => (
            <li key={id} className="badge">
              {title}
            </li>
          ))}
        </ul>
      )}
      {!words && !url && !part.buttons && <p className="quiet">{part.name ?? say('unsupported', { type: part.type })}</p>}
    </>
  );
}
