import { MisyProblem, type Schemas } from '@misy/api-client';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { api } from '../../api/client.js';
import { useTenant } from '../../frame/tenant.js';
import { Button, Problem, Skeleton } from '../../parts/basics.js';
import { Icon } from '../../parts/icon.js';
import { Menu, type MenuItem } from '../../parts/menu.js';
import { useToasts } from '../../parts/toasts.js';
import { useTexts } from '../../words/words.js';
import { Composer } from './composer.js';
import { place } from './live.js';
import { shortId, State } from './row.js';
import { Side } from './side.js';
import { texts } from './texts.js';
import { Transcript } from './transcript.js';

type Detail = Schemas['ConversationDetail'];
type Deed = 'takeConversation' | 'handBackConversation' | 'closeConversation';

/** What was written and is on its way. */
export interface Outgoing {
  clientMessageId: string;
  text: string;
  failed: boolean;
}

/** One conversation: who answers, what was said, and where to answer. */
export function Opened({ conversationId }: { conversationId: string }): ReactNode {
  const say = useTexts(texts);
  const { tenantId, me, can } = useTenant();
  const queries = useQueryClient();
  const toasts = useToasts();
  const [busy, setBusy] = useState(false);
  const [showsSide, setShowsSide] = useState(() => matchMedia('(min-width: 82rem)').matches);
  const [outgoing, setOutgoing] = useState<readonly Outgoing[]>([]);
  const path = { tenantId, conversationId };
  const key = [tenantId, 'conversation', conversationId];
  const { data, error, refetch } = useQuery({ queryKey: key, queryFn: ({ signal }) => api.call('readConversation', { path, signal }) });

  const keep = (detail: Detail): void => {
    queries.setQueryData(key, detail);
    place(queries, tenantId, detail.conversation, me.user.userId);
  };
  const act = async (deed: () => Promise<Detail>, told: string): Promise<void> => {
    setBusy(true);
    try {
      keep(await deed());
      toasts.done(told);
    } catch (problem) {
      toasts.failed(problem);
      void refetch();
    } finally {
      setBusy(false);
    }
  };
  const change = (deed: Deed, told: string): void => void act(() => api.call(deed, { path }), told);
  const assign = (userId: string | null, told: string): void => void act(() => api.call('assignConversation', { path, body: { userId } }), told);

  const send = async (message: Outgoing): Promise<void> => {
    const others = (before: readonly Outgoing[]): Outgoing[] => before.filter((one) => one.clientMessageId !== message.clientMessageId);
    setOutgoing((before) => [...others(before), { ...message, failed: false }]);
    try {
      await api.call('answerConversation', { path, body: { clientMessageId: message.clientMessageId, text: message.text } });
      await queries.invalidateQueries({ queryKey: [tenantId, 'said', conversationId] });
      setOutgoing(others);
    } catch (problem) {
      setOutgoing((before) => [...others(before), { ...message, failed: true }]);
      toasts.failed(problem);
      if (problem instanceof MisyProblem) void refetch();
    }
  };

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
  const { state, assignee } = conversation;
  const isMine = assignee?.userId === me.user.userId;
  const mayWrite = can('conversations:write');
  const mayAssign = can('conversations:assign');
  const mayChange = mayWrite && (assignee === null || assignee === undefined || isMine || mayAssign);
  return (
    <div className={showsSide ? 'inbox-open with-side' : 'inbox-open'}>
      <div className="inbox-main">
        <header className="inbox-open-head">
          <BackToList />
          <h1>
            {say('visitor', { id: shortId(conversation.contactId) })}
            <span className="quiet small">{say(conversation.channel)}</span>
          </h1>
          <State conversation={conversation} me={me.user.userId} />
          <span className="grow" />
          {mayWrite && !isMine && !assignee && (
            <Button look="primary" busy={busy} data-key="t" title="t" onClick={() => change('takeConversation', say('taken'))}>
              {say(state === 'assistant' ? 'take_over' : 'take')}
            </Button>
          )}
          {mayAssign && assignee && !isMine && (
            <Button busy={busy} data-key="t" title="t" onClick={() => assign(me.user.userId, say('taken'))}>
              {say('take_from', { name: assignee.name })}
            </Button>
          )}
          {mayChange && (state === 'person' || state === 'waiting') && (
            <Button busy={busy} data-key="b" title="b" onClick={() => change('handBackConversation', say('handed_back'))}>
              {say('hand_back')}
            </Button>
          )}
          {mayChange && state !== 'closed' && (
            <Button look="quiet" busy={busy} data-key="e" title="e" onClick={() => change('closeConversation', say('closed'))}>
              {say('close')}
            </Button>
          )}
          {mayAssign && <Assign assign={assign} state={state} />}
          <button type="button" className="icon-button" aria-pressed={showsSide} aria-label={say('details')} onClick={() => setShowsSide(!showsSide)}>
            <Icon name="info" />
          </button>
        </header>
        <Transcript conversationId={conversationId} outgoing={outgoing} again={(message) => void send(message)} discard={(id) => setOutgoing((before) => before.filter((one) => one.clientMessageId !== id))} />
        <Composer
          conversationId={conversationId}
          may={isMine && mayWrite}
          why={!mayWrite ? say('read_only') : assignee && !isMine ? say('held_by', { name: assignee.name }) : say('to_answer')}
          windowClosesAt={data.windowClosesAt ?? undefined}
          send={(text) => void send({ clientMessageId: crypto.randomUUID(), text, failed: false })}
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
