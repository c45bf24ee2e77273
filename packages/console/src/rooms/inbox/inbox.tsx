import type { Schemas } from '@misy/api-client';
import { useNavigate, useParams } from '@tanstack/react-router';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { usePages } from '../../api/pages.js';
import { useTenant } from '../../frame/tenant.js';
import { Button, Empty, Problem, Skeleton } from '../../parts/basics.js';
import { Select } from '../../parts/form.js';
import { Icon } from '../../parts/icon.js';
import { useTexts } from '../../words/words.js';
import { Opened } from './conversation.js';
import { isFound } from './find.js';
import type { Conversation, Which } from './lists.js';
import { readList, useLive } from './live.js';
import { useFailing } from './outbox.js';
import { Row, shortId } from './row.js';
import { useSeen } from './seen.js';
import { useSound } from './sound.js';
import { texts } from './texts.js';

const VIEWS = ['waiting', 'mine', 'all', 'person', 'assistant', 'closed'] as const;
const WAITING: Which = { state: 'waiting' };
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
  const [holder, setHolder] = useState('');
  const [wantedWords, setWantedWords] = useState('');
  const [channel, setChannel] = useState<Schemas['Channel'] | ''>('');
  const wanted = which(view, channel);
  const pages = usePages([tenantId, 'conversations', wanted], ({ cursor = '' }, signal) => readList(tenantId, wanted, cursor, signal));
  const waiting = usePages([tenantId, 'conversations', WAITING], ({ cursor = '' }, signal) => readList(tenantId, WAITING, cursor, signal));
  const live = useLive(tenantId, conversationId);
  const { isUnread } = useSeen();
  const isInView = (one: Conversation): boolean => one.conversationId === conversationId && document.visibilityState === 'visible';
  const calls = [...waiting.items, ...pages.items].filter((one) => isUnread(one) && !isInView(one)).map(({ conversationId: id, messages }) => `${id}:${messages}`);
  const sound = useSound([...new Set(calls)], !waiting.isLoading && !pages.isLoading);
  const count = waiting.items.length > 0 ? `${waiting.items.length}${waiting.hasMore ? '+' : ''}` : '';
  const holders = new Map(pages.items.flatMap(({ assignee }) => (assignee ? [[assignee.userId, assignee.name] as const] : [])));
  const words = wantedWords.trim();
  const shown = pages.items.filter(
    (one) => (view !== 'person' || holder === '' || one.assignee?.userId === holder) && (words === '' || isFound(one, words, `${say('visitor', { id: shortId(one.contactId) })} ${say(one.channel)}`)),
  );
  const failing = useFailing();
  const end = useRef<HTMLLIElement>(null);
  const box = useRef<HTMLElement>(null);
  const open = (id: string): void => void navigate({ to: '/$tenantId/inbox/$conversationId', params: { tenantId, conversationId: id } });

  // The next page is read before somebody gets there.
  const { more, hasMore, isLoadingMore } = pages;
  useEffect(() => {
    const element = end.current;
    // Who looks for something says themselves how far back.
    if (!element || !hasMore || isLoadingMore || words !== '') return;
    const seen = new IntersectionObserver(([entry]) => entry?.isIntersecting && more(), { root: element.closest('.inbox-list'), rootMargin: '600px' });
    seen.observe(element);
    return () => seen.disconnect();
  });

  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || types(event.target)) return;
      if (event.key === '/') {
        box.current?.querySelector<HTMLElement>('input[type=search]')?.focus();
      } else if (event.key === 'j' || event.key === 'k') {
        const at = shown.findIndex((one) => one.conversationId === conversationId);
        const next = shown[at < 0 ? 0 : at + (event.key === 'j' ? 1 : -1)];
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
      <title>{`${count && `(${count}) `}${say('title')} · Misy`}</title>
      <div className="inbox-list" role="region" aria-label={say('list')} tabIndex={0}>
        <header className="inbox-head">
          <div className="inbox-line">
            {conversationId === undefined ? <h1 tabIndex={-1}>{say('title')}</h1> : <p className="inbox-title">{say('title')}</p>}
            <button type="button" className="icon-button" aria-pressed={sound.on} aria-label={say('sound')} title={say('sound')} onClick={sound.toggle}>
              <Icon name={sound.on ? 'sound' : 'silence'} />
            </button>
          </div>
          {!live && (
            <p className="inbox-lost" role="status">
              <Icon name="warning" /> {say('live_lost')}
            </p>
          )}
          <div className="inbox-filters">
            <input
              type="search"
              className="inbox-search"
              aria-label={say('search')}
              placeholder={say('search')}
              value={wantedWords}
              onChange={(event) => setWantedWords(event.target.value)}
              onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
            />
            <Select label={say('show')} value={view} onChange={setView} options={VIEWS.map((one) => [one, `${say(`view_${one}`)}${one === 'waiting' && count ? ` (${count})` : ''}`] as const)} />
            <Select label={say('channel')} value={channel} onChange={setChannel} options={[['', say('all_channels')] as const, ...CHANNELS.map((one) => [one, say(one)] as const)]} />
            {view === 'person' && <Select label={say('holder')} value={holder} onChange={setHolder} options={[['', say('anybody')] as const, ...holders]} />}
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
          {shown.map((one) => (
            <Row key={one.conversationId} conversation={one} me={me.user.userId} open={one.conversationId === conversationId} unread={isUnread(one) && !isInView(one)} notSent={failing.has(one.conversationId)} tenantId={tenantId} />
          ))}
          {hasMore && words === '' && (
            <li ref={end}>
              <Skeleton lines={2} />
            </li>
          )}
        </ul>
        {words !== '' && (
          <div className="inbox-found">
            <p className="quiet small" role="status">
              {say('found', { count: shown.length, all: pages.items.length })}
            </p>
            {hasMore && (
              <Button busy={isLoadingMore} onClick={more}>
                {say('older')}
              </Button>
            )}
          </div>
        )}
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
