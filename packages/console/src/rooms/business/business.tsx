import { MisyProblem } from '@misy/api-client';
import { useQuery } from '@tanstack/react-query';
import { useBlocker } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { api } from '../../api/client.js';
import { useTenant } from '../../frame/tenant.js';
import { Badge, Button, Page, Problem, Skeleton } from '../../parts/basics.js';
import { Confirm } from '../../parts/dialog.js';
import { useDone } from '../../parts/done.js';
import { Area, Form } from '../../parts/form.js';
import { Icon } from '../../parts/icon.js';
import { useTexts } from '../../words/words.js';
import { Contact, Escalation, General, Look, Policies } from './about.js';
import { OpeningHours } from './hours.js';
import { Questions, Services } from './lists.js';
import { differences, isPack, type Pack } from './pack.js';
import { texts } from './texts.js';

/** What the assistant of a tenant knows. */
export default function Business(): ReactNode {
  const say = useTexts(texts);
  const { tenantId } = useTenant();
  // What is edited stays as it is while somebody edits: it is read anew when they saved or want it.
  const read = useQuery({ queryKey: [tenantId, 'context-pack'], queryFn: () => api.request('readContextPack', { path: { tenantId } }), refetchOnWindowFocus: false, staleTime: Infinity });
  return (
    <Page title={say('title')} about={say('about')}>
      {read.error && <Problem error={read.error} again={() => void read.refetch()} />}
      {read.isPending && <Skeleton lines={8} />}
      {read.data && <Editor key={read.data.etag} stored={read.data.data} etag={read.data.etag} />}
    </Page>
  );
}

interface Conflict {
  theirs: Pack;
  etag: string | undefined;
}

function Editor({ stored, etag }: { stored: Pack; etag: string | undefined }): ReactNode {
  const say = useTexts(texts);
  const { tenantId, can } = useTenant();
  const done = useDone();
  const [pack, setPack] = useState(stored);
  const [json, setJson] = useState<string>();
  const [conflict, setConflict] = useState<Conflict>();
  const isChanged = pack !== stored;
  const isOpen = can('context-pack:write');
  const key = [tenantId, 'context-pack'];
  const path = { tenantId };
  const parsed = json === undefined ? undefined : parse(json);
  const leave = useBlocker({ shouldBlockFn: () => isChanged, enableBeforeUnload: isChanged, withResolver: true });
  const change = (part: Partial<Pack>): void => setPack((before) => ({ ...before, ...part }));

  const write = async (body: Pack, ifMatch: string | undefined): Promise<void> => {
    const { data } = await api.request('replaceContextPack', { path, body, ...(ifMatch && { ifMatch }) });
    setPack(stored);
    done(say('saved'), [key], () => api.call('replaceContextPack', { path, body: stored, ifMatch: `"${data.version}"` }));
  };
  const save = async (): Promise<void> => {
    try {
      await write(pack, etag);
    } catch (error) {
      if (!MisyProblem.is(error, 'stale')) throw error;
      const theirs = await api.request('readContextPack', { path });
      setConflict({ theirs: theirs.data, etag: theirs.etag });
    }
  };
  const type = (text: string): void => {
    setJson(text);
    const typed = parse(text);
    if (typed.pack) setPack(typed.pack);
  };
  return (
    <Form submit={save} className="form business">
      <div className="switch" role="group" aria-label={say('view')}>
        <Button look={json === undefined ? 'plain' : 'quiet'} aria-pressed={json === undefined} onClick={() => setJson(undefined)}>
          {say('as_form')}
        </Button>
        <Button look={json === undefined ? 'quiet' : 'plain'} aria-pressed={json !== undefined} onClick={() => setJson(JSON.stringify(pack, undefined, 2))}>
          {say('as_json')}
        </Button>
        {etag && <Badge>{say('version', { version: etag.replaceAll('"', '') })}</Badge>}
      </div>
      {conflict && (
        <div className="notice warn" role="alert">
          <Icon name="warning" />
          <span>
            <strong>{say('stale')}.</strong> {say('stale_why', { parts: differences(stored, conflict.theirs).join(', ') })}
          </span>
          <Button onClick={() => done(say('take_theirs'), [key])}>{say('take_theirs')}</Button>
          <Button onClick={() => void write(pack, conflict.etag)}>{say('save_mine')}</Button>
        </div>
      )}
      <fieldset className="bare" disabled={!isOpen}>
        {json === undefined ? (
          <>
            <General pack={pack} change={change} />
            <Contact pack={pack} change={change} />
            <OpeningHours pack={pack} change={change} />
            <Services pack={pack} change={change} />
            <Questions pack={pack} change={change} />
            <Escalation pack={pack} change={change} />
            <Policies pack={pack} change={change} />
            <Look pack={pack} change={change} />
          </>
        ) : (
          <>
            <Area label={say('as_json')} hint={say('json_hint')} value={json} onChange={type} rows={28} mono />
            {parsed?.problem !== undefined && (
              <p className="wrong" role="alert">
                {parsed.problem === '' ? say('json_shape') : say('json_wrong', { problem: parsed.problem })}
              </p>
            )}
          </>
        )}
      </fieldset>
      {isOpen && isChanged && (
        <div className="save-bar">
          <span>{say('unsaved')}</span>
          <Button
            onClick={() => {
              setPack(stored);
              setJson(undefined);
            }}
          >
            {say('discard')}
          </Button>
          <Form.Submit disabled={parsed?.problem !== undefined}>{say('save')}</Form.Submit>
        </div>
      )}
      {leave.status === 'blocked' && (
        <Confirm title={say('leave')} deed={say('leave_deed')} act={() => Promise.resolve()} onClose={leave.proceed} dismiss={leave.reset}>
          <p>{say('leave_why')}</p>
        </Confirm>
      )}
    </Form>
  );
}

/** What was typed as a pack, or what is wrong with it; nothing in words means that its shape is. */
function parse(text: string): { pack?: Pack; problem?: string } {
  try {
    const value: unknown = JSON.parse(text);
    return isPack(value) ? { pack: value } : { problem: '' };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : '' };
  }
}
