import type { Schemas } from '@misy/api-client';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { api } from '../../api/client.js';
import { keep, readKept } from '../../frame/kept.js';
import { useTenant } from '../../frame/tenant.js';
import { Fact, Facts, Problem, Time } from '../../parts/basics.js';
import { Area, Form } from '../../parts/form.js';
import { Icon } from '../../parts/icon.js';
import { common } from '../../parts/texts.js';
import { useTexts } from '../../words/words.js';
import { State } from './row.js';
import { texts } from './texts.js';

/** What whoever answers should know: what happened, who writes, and what the others noted. */
export function Side({ detail, close }: { detail: Schemas['ConversationDetail']; close: () => void }): ReactNode {
  const say = useTexts(texts);
  const all = useTexts(common);
  const { me } = useTenant();
  const { conversation, summary } = detail;
  const { language, waitingSince, activeAt } = conversation;
  return (
    <section className="inbox-side" aria-label={say('details')}>
      <header className="inbox-side-head">
        <h2>{say('summary')}</h2>
        <button type="button" className="icon-button" aria-label={all('close')} onClick={close}>
          <Icon name="cross" />
        </button>
      </header>
      {summary.handoff && <p dir="auto">{summary.handoff}</p>}
      {summary.asked.length > 0 && (
        <>
          <h3>{say('asked')}</h3>
          <ul className="inbox-asked">
            {summary.asked.map((text, at) => (
              <li key={at} dir="auto">
                {text}
              </li>
            ))}
          </ul>
        </>
      )}
      {summary.sources.length > 0 && (
        <>
          <h3>{say('sources')}</h3>
          <p className="quiet">{summary.sources.join(' · ')}</p>
        </>
      )}
      <Facts>
        <Fact name={say('answered_by')}>
          <State conversation={conversation} me={me.user.userId} />
        </Fact>
        {waitingSince && (
          <Fact name={say('state_waiting')}>
            <Time at={waitingSince} />
          </Fact>
        )}
        {language && <Fact name={say('language')}>{say(language)}</Fact>}
        <Fact name={say('last_activity')}>
          <Time at={activeAt} />
        </Fact>
        <Fact name={say('about')}>
          <code className="quiet">{conversation.contactId}</code>
        </Fact>
      </Facts>
      <Notes conversationId={conversation.conversationId} />
    </section>
  );
}

function Notes({ conversationId }: { conversationId: string }): ReactNode {
  const say = useTexts(texts);
  const { tenantId, me, can } = useTenant();
  const queries = useQueryClient();
  const draft = `note/${tenantId}/${conversationId}`;
  const [text, setText] = useState(() => readKept(me.user.userId, draft));
  const path = { tenantId, conversationId };
  const key = [tenantId, 'notes', conversationId];
  const notes = useQuery({ queryKey: key, queryFn: ({ signal }) => api.call('listNotes', { path, signal }) });
  const change = (next: string): void => {
    setText(next);
    keep(me.user.userId, draft, next);
  };
  const add = async (): Promise<void> => {
    queries.setQueryData(key, await api.call('addNote', { path, body: { text } }));
    change('');
  };
  return (
    <section aria-label={say('notes')}>
      <h2>{say('notes')}</h2>
      {notes.error && <Problem error={notes.error} again={() => void notes.refetch()} />}
      {notes.data?.items.length === 0 && <p className="quiet">{say('no_notes')}</p>}
      <ul className="notes">
        {notes.data?.items.map(({ noteId, author, text: said, createdAt }) => (
          <li key={noteId} className="note">
            <p className="small">
              <span className="strong">{author?.name ?? say('somebody')}</span>{' '}
              <span className="quiet">
                <Time at={createdAt} />
              </span>
            </p>
            <p dir="auto">{said}</p>
          </li>
        ))}
      </ul>
      {can('conversations:write') && (
        <Form submit={add}>
          <Area label={say('note')} hint={say('note_hint')} pointer="/text" value={text} onChange={change} rows={2} />
          <Form.Buttons>
            <Form.Submit look="primary" disabled={text.trim() === ''}>
              {say('add_note')}
            </Form.Submit>
          </Form.Buttons>
        </Form>
      )}
    </section>
  );
}
