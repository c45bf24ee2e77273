import type { Schemas } from '@misy/api-client';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useId, useState } from 'react';
import { api } from '../../api/client.js';
import { usePages } from '../../api/pages.js';
import { useTenant } from '../../frame/tenant.js';
import { Button, Empty, Section, Time } from '../../parts/basics.js';
import { Dialog } from '../../parts/dialog.js';
import { useDone } from '../../parts/done.js';
import { Area, Form } from '../../parts/form.js';
import { Listed } from '../../parts/table.js';
import { common } from '../../parts/texts.js';
import { useTexts } from '../../words/words.js';
import { texts } from './texts.js';

type Turn = Schemas['WaitingTurn'];

/** Turns that wait for somebody's word, a tool or a time, and how they go on. */
export function Waiting(): ReactNode {
  const say = useTexts(texts);
  const { tenantId, can } = useTenant();
  const [decided, setDecided] = useState<Turn>();
  const turns = usePages([tenantId, 'turns'], (cursor, signal) => api.call('listWaitingTurns', { path: { tenantId }, query: cursor, signal }), { refetchInterval: 15_000 });
  return (
    <Section title={say('waiting')} about={say('waiting_about')}>
      <Listed
        label={say('waiting')}
        pages={turns}
        keyOf={({ conversationId, wait }) => `${conversationId}/${wait}`}
        empty={
          <Empty icon="work" title={say('none_waits')}>
            {say('none_waits_why')}
          </Empty>
        }
        columns={[
          {
            name: say('waits_for'),
            cell: ({ waitsFor, agentName, conversationId }) => (
              <>
                <span className="strong">{say(waitsFor)}</span>
                <br />
                <span className="quiet">{say('agent', { name: agentName })}</span>
                {can('conversations:read') && (
                  <>
                    {' · '}
                    <Link to="/$tenantId/inbox/$conversationId" params={{ tenantId, conversationId }}>
                      {say('see_conversation')}
                    </Link>
                  </>
                )}
              </>
            ),
          },
          { name: say('since'), cell: ({ waitsSince }) => <Time at={waitsSince} />, tight: true },
          { name: say('until'), cell: ({ waitsUntil }) => <Time at={waitsUntil} />, tight: true },
          ...(can('turns:write')
            ? [{ name: say('decision'), cell: (turn: Turn) => <Button onClick={() => setDecided(turn)}>{say(turn.waitsFor === 'person' ? 'decide' : 'go_on')}</Button>, tight: true }]
            : []),
        ]}
      />
      {decided && <Decide turn={decided} onClose={() => setDecided(undefined)} />}
    </Section>
  );
}

/** What a person's word is made of, or what a tool would have answered. */
function Decide({ turn, onClose }: { turn: Turn; onClose: () => void }): ReactNode {
  const say = useTexts(texts);
  const all = useTexts(common);
  const { tenantId, me } = useTenant();
  const done = useDone();
  const group = useId();
  const [approved, setApproved] = useState<boolean>();
  const [note, setNote] = useState('');
  const [json, setJson] = useState('');
  const isPerson = turn.waitsFor === 'person';
  const typed = parse(json);
  const submit = async (): Promise<void> => {
    const { conversationId, wait } = turn;
    const word = { approved, by: me.user.name, ...(note.trim() && { note: note.trim() }) };
    await api.call('wakeTurn', { path: { tenantId, conversationId }, body: { wait, outcome: isPerson ? word : typed.value } });
    onClose();
    done(say('decided'), [[tenantId, 'turns']]);
  };
  return (
    <Dialog title={say(isPerson ? 'decide' : 'go_on')} onClose={onClose}>
      <Form submit={submit}>
        <p className="quiet">{say('decide_why')}</p>
        {isPerson ? (
          <>
            <fieldset className="field">
              <legend>{say('decision')}</legend>
              {([true, false] as const).map((value) => (
                <label key={String(value)} className="check">
                  <input type="radio" name={group} checked={approved === value} onChange={() => setApproved(value)} />
                  {say(value ? 'approve' : 'decline')}
                </label>
              ))}
            </fieldset>
            <Area label={say('note')} optional pointer="/outcome" value={note} onChange={setNote} />
          </>
        ) : (
          <>
            <Area label={say('outcome')} hint={say('outcome_hint')} optional mono pointer="/outcome" value={json} onChange={setJson} />
            {typed.problem && (
              <p className="wrong" role="alert">
                {say('no_json', { problem: typed.problem })}
              </p>
            )}
          </>
        )}
        <Form.Buttons>
          <Button onClick={onClose}>{all('cancel')}</Button>
          <Form.Submit disabled={isPerson ? approved === undefined : typed.problem !== undefined}>{say(isPerson ? 'decide' : 'go_on')}</Form.Submit>
        </Form.Buttons>
      </Form>
    </Dialog>
  );
}

/** What was typed as JSON; nothing typed is nothing. */
function parse(text: string): { value: unknown; problem?: string } {
  try {
    return { value: text.trim() === '' ? null : (JSON.parse(text) as unknown) };
  } catch (error) {
    return { value: null, problem: error instanceof Error ? error.message : text };
  }
}
