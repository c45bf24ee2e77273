import { MisyProblem, type Schemas } from '@misy/api-client';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { api } from '../../api/client.js';
import { useTenant } from '../../frame/tenant.js';
import { Button, Problem, Skeleton } from '../../parts/basics.js';
import { Icon } from '../../parts/icon.js';
import { Menu, type MenuItem } from '../../parts/menu.js';
import { useToasts } from '../../parts/toasts.js';
import { useTexts } from '../../words/words.js';
import { Composer } from './composer.js';
import { place } from './live.js';
import { useOutbox } from './outbox.js';
import { shortId, State } from './row.js';
import { useSeen } from './seen.js';
import type { Said } from './said.js';
import { Side } from './side.js';
import { texts } from './texts.js';
import { Transcript } from './transcript.js';

type Detail = Schemas['ConversationDetail'];

/** One conversation: who answers, what was said, and where to answer. */
export function Opened({ conversationId }: { conversationId: string }): ReactNode {
  const say = useTexts(texts);
  const { tenantId, me, can } = useTenant();
  const queries = useQueryClient();
  const toasts = useToasts();
  const [busy, setBusy] = useState(false);
  const [showsSide, setShowsSide] = useState(() => matchMedia('(min-width: 82rem)').matches);
  const outbox = useOutbox();
  const box = useRef<HTMLDivElement>(null);
  const path = { tenantId, conversationId };
  const key = [tenantId, 'conversation', conversationId];
  const saidKey = [tenantId, 'said', conversationId];
  const { see } = useSeen();
  const { data, error, refetch } = useQuery({ queryKey: key, queryFn: ({ signal }) => api.call('readConversation', { path, signal }) });

  // What stands in a window that nobody looks at was not seen.
  const current = data?.conversation;
  useEffect(() => {
    if (!current) return;
    const look = (): void => {
      if (document.visibilityState === 'visible') see(current);
    };
    look();
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, [current, see]);

  const keep = (detail: Detail): void => {
    queries.setQueryData(key, detail);
    place(queries, tenantId, detail.conversation, me.user.userId);
  };
  /** Does something with the conversation as it was when it was shown; who comes second hears who was first. */
  const act = async (deed: (ifMatch: string) => Promise<Detail>, version: number, told: string, undo?: (ifMatch: string) => Promise<Detail>): Promise<void> => {
    setBusy(true);
    try {
      const done = await deed(`"${version}"`);
      keep(done);
      const { conversation } = done;
      toasts.done(told, undo && (() => void act(undo, conversation.version, say('undone'))));
      // The button that was pressed is gone: whoever took it writes, whoever gave it back reads on.
      requestAnimationFrame(() => box.current?.querySelector<HTMLElement>(conversation.assignee?.userId === me.user.userId ? '[data-key=r]' : 'h1')?.focus());
    } catch (problem) {
      const [{ data: now }] = await Promise.all([refetch(), queries.invalidateQueries({ queryKey: saidKey })]);
      if (now && (MisyProblem.is(problem, 'stale') || MisyProblem.is(problem, 'conversation_held'))) {
        place(queries, tenantId, now.conversation, me.user.userId);
        toasts.refused(say(`meanwhile_${now.conversation.state}`, { name: now.conversation.assignee?.name ?? '' }));
      } else toasts.failed(problem);
    } finally {
      setBusy(false);
    }
  };
  const take = (ifMatch: string) => api.call('takeConversation', { path, ifMatch });
  /** Ends what was seen: what the contact has written since is not left unanswered. */
  const end = (deed: 'handBackConversation' | 'closeConversation') => (ifMatch: string) => {
    const newest = queries.getQueryData<Said>(saidKey)?.items.at(-1);
    return api.call(deed, { path, ifMatch, body: newest ? { seen: newest.sequence } : {} });
  };
  const assign = (userId: string | null) => (ifMatch: string) => api.call('assignConversation', { path, ifMatch, body: { userId } });

  if (error) {
    return (
      <div className="inbox-open">
        <BackToList />
        <Problem error={error} again={() => void refetch()} />
      </div>
    );
  }
  if (!data) {
    return (
      <div className="inbox-open">
        <Skeleton lines={8} />
      </div>
    );
  }
  const { conversation } = data;
  const { state, assignee, version } = conversation;
  const isMine = assignee?.userId === me.user.userId;
  const mayWrite = can('conversations:write');
  const mayAssign = can('conversations:assign');
  const mayChange = mayWrite && (assignee === null || assignee === undefined || isMine || mayAssign);
  /** What brings back who answers now. */
  const toHolder = isMine ? take : mayAssign && assignee ? assign(assignee.userId) : undefined;
  const back = { assistant: end('handBackConversation'), waiting: mayAssign ? assign(null) : undefined, person: toHolder, closed: undefined }[state];
  return (
    <div ref={box} className={showsSide ? 'inbox-open with-side' : 'inbox-open'}>
      <div className="inbox-main">
        <header className="inbox-open-head">
          <BackToList />
          <h1 tabIndex={-1}>
            {say('visitor', { id: shortId(conversation.contactId) })}
            <span className="quiet small">{say(conversation.channel)}</span>
          </h1>
          <State conversation={conversation} me={me.user.userId} />
          <span className="grow" />
          {mayWrite && !isMine && !assignee && (
            <Button look="primary" busy={busy} data-key="t" title="t" onClick={() => void act(take, version, say('taken'), back)}>
              {say(state === 'assistant' ? 'take_over' : 'take')}
            </Button>
          )}
          {mayAssign && assignee && !isMine && (
            <Button busy={busy} data-key="t" title="t" onClick={() => void act(assign(me.user.userId), version, say('taken'), assign(assignee.userId))}>
              {say('take_from', { name: assignee.name })}
            </Button>
          )}
          {mayChange && (state === 'person' || state === 'waiting') && (
            <Button busy={busy} data-key="b" title="b" onClick={() => void act(end('handBackConversation'), version, say('handed_back'), back)}>
              {say('hand_back')}
            </Button>
          )}
          {mayChange && state !== 'closed' && (
            <Button look="quiet" busy={busy} data-key="e" title="e" onClick={() => void act(end('closeConversation'), version, say('closed'), back)}>
              {say('close')}
            </Button>
          )}
          {mayAssign && <Assign assign={(userId, told) => void act(assign(userId), version, told, back)} state={state} />}
          <button type="button" className="icon-button" aria-pressed={showsSide} aria-label={say('details')} onClick={() => setShowsSide(!showsSide)}>
            <Icon name="info" />
          </button>
        </header>
        <Transcript conversationId={conversationId} />
        <Composer
          conversationId={conversationId}
          may={isMine && mayWrite}
          why={!mayWrite ? say('read_only') : assignee && !isMine ? say('held_by', { name: assignee.name }) : say('to_answer')}
          windowClosesAt={data.windowClosesAt ?? undefined}
          send={(text) => outbox.send(conversationId, text)}
        />
      </div>
      {showsSide && <Side detail={data} close={() => setShowsSide(false)} />}
    </div>
  );
}

function BackToList(): ReactNode {
  const say = useTexts(texts);
  const { tenantId } = useTenant();
  return (
    <Link to="/$tenantId/inbox" params={{ tenantId }} className="icon-button inbox-back" aria-label={say('back')}>
      <Icon name="left" />
    </Link>
  );
}

/** Gives the conversation to somebody else. Who may not answer is refused by the API. */
function Assign({ assign, state }: { assign: (userId: string | null, told: string) => void; state: Schemas['HandlingState'] }): ReactNode {
  const say = useTexts(texts);
  const { tenantId, can, me } = useTenant();
  const people = useQuery({
    queryKey: [tenantId, 'users', 'answering'],
    queryFn: ({ signal }) => api.call('listUsers', { path: { tenantId }, query: { status: 'active', limit: 50 }, signal }),
    enabled: can('users:read'),
    staleTime: 60_000,
  });
  const others = (people.data?.items ?? []).filter(({ userId }) => userId !== me.user.userId);
  const items: MenuItem[] = others.map(({ userId, name }) => ({ name: say('assign', { name }), icon: 'person', act: () => assign(userId, say('assigned', { name })) }));
  const queue: MenuItem[] = state === 'waiting' ? [] : [{ name: say('to_queue'), act: () => assign(null, say('queued')) }];
  if (items.length + queue.length === 0) return null;
  return (
    <Menu groups={[items, queue]}>
      <button type="button" className="icon-button" aria-label={say('more')}>
        <Icon name="dots" />
      </button>
    </Menu>
  );
}
