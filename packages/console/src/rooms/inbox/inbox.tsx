import type { Schemas } from '@misy/api-client';
import { useNavigate, useParams } from '@tanstack/react-router';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { usePages } from '../../api/pages.js';
import { useTenant } from '../../frame/tenant.js';
import { Empty, Skeleton, Problem } from '../../parts/basics.js';
import { Select } from '../../parts/form.js';
import { Icon } from '../../parts/icon.js';
import { useTexts } from '../../words/words.js';
import { Opened } from './conversation.js';
import type { Which } from './lists.js';
import { readList, useLive } from './live.js';
import { useFailing } from './outbox.js';
import { Row } from './row.js';
import { texts } from './texts.js';

const VIEWS = ['waiting', 'mine', 'all', 'person', 'assistant', 'closed'] as const;
type View = (typeof VIEWS)[number];
const CHANNELS: readonly Schemas['Channel'][] = ['web', 'whatsapp', 'instagram', 'messenger', 'email', 'api', 'crm'];

function which(view: View, channel: Schemas['Channel'] | ''): Which {
  const of = channel === '' ? {} : { channel };
  if (view === 'all') return of;
  return view === 'mine' ? { mine: true, ...of } : { state: view, ...of };
}

/** Whether somebody is typing at this moment, so that a letter is a letter. */
const types = (target: EventTarget | null): boolean => target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable], dialog, [role=menu]') !== null;

/** Where people answer: the conversations of all channels, the one that is open, and what is known of it. */
export default function Inbox(): ReactNode {
  const say = useTexts(texts);
  const { tenantId, me } = useTenant();
  const { conversationId } = useParams({ strict: false });
  const navigate = useNavigate();
  const [view, setView] = useState<View>('all');
  const [channel, setChannel] = useState<Schemas['Channel'] | ''>('');
  const wanted = which(view, channel);
  const pages = usePages([tenantId, 'conversations', wanted], ({ cursor = '' }, signal) => readList(tenantId, wanted, cursor, signal));
  const live = useLive(tenantId, conversationId);
  const failing = useFailing();
  const end = useRef<HTMLLIElement>(null);
  const box = useRef<HTMLElement>(null);
  const open = (id: string): void => void navigate({ to: '/$tenantId/inbox/$conversationId', params: { tenantId, conversationId: id } });

  // The next page is read before somebody gets there.
  const { more, hasMore, isLoadingMore } = pages;
  useEffect(() => {
    const element = end.current;
    if (!element || !hasMore || isLoadingMore) return;
    const seen = new IntersectionObserver(([entry]) => entry?.isIntersecting && more(), { root: element.closest('.inbox-list'), rootMargin: '600px' });
    seen.observe(element);
    return () => seen.disconnect();
  });

  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || types(event.target)) return;
      if (event.key === '/') {
        box.current?.querySelector<HTMLElement>('select')?.focus();
      } else if (event.key === 'j' || event.key === 'k') {
        const at = pages.items.findIndex((one) => one.conversationId === conversationId);
        const next = pages.items[at < 0 ? 0 : at + (event.key === 'j' ? 1 : -1)];
        if (next) open(next.conversationId);
      } else {
        const button = box.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(event.key)}"]`);
        if (!button) return;
        button.focus();
        if (button instanceof HTMLButtonElement) button.click();
      }
      event.preventDefault();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  });

  return (
    <section ref={box} className={conversationId === undefined ? 'inbox' : 'inbox has-open'}>
      <title>{`${say('title')} · Misy`}</title>
      <div className="inbox-list" role="region" aria-label={say('list')} tabIndex={0}>
        <header className="inbox-head">
          {conversationId === undefined ? <h1 tabIndex={-1}>{say('title')}</h1> : <p className="inbox-title">{say('title')}</p>}
          {!live && (
            <p className="inbox-lost" role="status">
              <Icon name="warning" /> {say('live_lost')}
            </p>
          )}
          <div className="inbox-filters">
            <Select label={say('show')} value={view} onChange={setView} options={VIEWS.map((one) => [one, say(`view_${one}`)] as const)} />
            <Select label={say('channel')} value={channel} onChange={setChannel} options={[['', say('all_channels')] as const, ...CHANNELS.map((one) => [one, say(one)] as const)]} />
          </div>
        </header>
        {pages.error !== null && pages.error !== undefined && <Problem error={pages.error} again={pages.again} />}
        {pages.isLoading && <Skeleton lines={8} />}
        {!pages.isLoading && !pages.error && pages.items.length === 0 && (
          <Empty icon="inbox" title={say(view === 'waiting' ? 'none_waiting' : 'none')}>
            {say(view === 'waiting' ? 'none_waiting_why' : 'none_why')}
          </Empty>
        )}
        <ul>
          {pages.items.map((one) => (
            <Row key={one.conversationId} conversation={one} me={me.user.userId} open={one.conversationId === conversationId} notSent={failing.has(one.conversationId)} tenantId={tenantId} />
          ))}
          {hasMore && (
            <li ref={end}>
              <Skeleton lines={2} />
            </li>
          )}
        </ul>
      </div>
      {conversationId === undefined ? (
        <div className="inbox-none">
          <Empty icon="inbox" title={say('choose')}>
            {say('choose_why')}
          </Empty>
        </div>
      ) : (
        <Opened key={conversationId} conversationId={conversationId} />
      )}
    </section>
  );
}
