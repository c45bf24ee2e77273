import type { Schemas } from '@misy/api-client';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { api } from '../../api/client.js';
import { usePages } from '../../api/pages.js';
import { type RoomName, ROOMS } from '../../frame/rooms.js';
import { useTenant } from '../../frame/tenant.js';
import { Badge, Button, Card, Page, Problem, Section, Skeleton, Time, type Tone } from '../../parts/basics.js';
import { Icon } from '../../parts/icon.js';
import { Table } from '../../parts/table.js';
import { useToasts } from '../../parts/toasts.js';
import { useTexts, useWriting } from '../../words/words.js';
import { texts } from './texts.js';

/** How a tenant stands: what it used, what wants attention, and what is still to be set up. */
export default function Overview(): ReactNode {
  const say = useTexts(texts);
  const { tenant, can } = useTenant();
  return (
    <Page title={tenant?.tenantName ?? say('title')}>
      {can('limits:read') && <Standing />}
      <GettingStarted />
      {can('alerts:read') && <Alerts />}
      {can('usage:read') && <Traffic />}
      {can('usage:read') && <Refusals />}
      {can('tenants:list') && <Health />}
    </Page>
  );
}

const STATUS: Record<Schemas['TenantStatus'], Tone> = { active: 'good', suspended: 'warn', closed: 'bad' };

function Standing(): ReactNode {
  const say = useTexts(texts);
  const write = useWriting();
  const { tenantId, tenant } = useTenant();
  const limits = useQuery({ queryKey: [tenantId, 'limits'], queryFn: () => api.call('readLimits', { path: { tenantId } }) });
  if (limits.error) return <Problem error={limits.error} again={() => void limits.refetch()} />;
  if (!limits.data) return <Skeleton lines={2} />;
  return (
    <div className="tiles">
      {tenant && (
        <div className="tile">
          <p className="tile-name">{say('plan')}</p>
          <p className="tile-figure">{tenant.plan}</p>
          <p>
            <Badge tone={STATUS[tenant.status]}>{say(tenant.status)}</Badge>
          </p>
        </div>
      )}
      {limits.data.quotasInForce.map(({ kind, monthly, used, resetsAt }) => (
        <div key={kind} className="tile">
          <p className="tile-name">{say(kind)}</p>
          <p className="tile-figure">
            {write.number(used)} <span className="quiet">{typeof monthly === 'number' ? say('of', { most: monthly }) : say('unlimited')}</span>
          </p>
          {typeof monthly === 'number' && <meter min={0} max={monthly} low={monthly * 0.8} high={monthly * 0.95} optimum={0} value={used} aria-label={say(kind)} />}
          <p className="quiet small">{say('resets', { when: write.ago(resetsAt) })}</p>
        </div>
      ))}
    </div>
  );
}

/** Steps towards an assistant that answers, as far as the person may take them; gone when all are taken. */
function GettingStarted(): ReactNode {
  const say = useTexts(texts);
  const { tenantId, can, isHome } = useTenant();
  const asks = isHome && can('context-pack:write');
  const pack = useQuery({ queryKey: [tenantId, 'context-pack'], queryFn: () => api.request('readContextPack', { path: { tenantId } }), enabled: asks });
  const usage = useQuery({ queryKey: [tenantId, 'usage', 'sites'], queryFn: () => api.call('readUsage', { path: { tenantId }, query: { groupBy: 'site' } }), enabled: asks && can('usage:read') });
  const team = useQuery({ queryKey: [tenantId, 'users', 'few'], queryFn: () => api.call('listUsers', { path: { tenantId }, query: { limit: 2 } }), enabled: asks && can('users:read') });
  if (!asks || pack.isPending || usage.isLoading || team.isLoading) return null;
  const steps: { name: 'business' | 'snippet' | 'team'; room: RoomName; done: boolean }[] = [
    { name: 'business', room: 'business', done: (pack.data?.data.faq?.length ?? 0) + (pack.data?.data.services?.length ?? 0) > 0 },
    { name: 'snippet', room: 'sites', done: (usage.data?.items.length ?? 0) > 0 },
    { name: 'team', room: 'team', done: (team.data?.items.length ?? 0) > 1 },
  ];
  if (steps.every(({ done }) => done)) return null;
  return (
    <Section title={say('start')} about={say('start_about')}>
      <ol className="steps">
        {steps.map(({ name, room, done }) => (
          <li key={name} className={done ? 'done' : undefined}>
            <span className="step-mark">{done && <Icon name="check" />}</span>
            <div>
              <Link to={ROOMS[room].path} params={{ tenantId }}>
                {say(`step_${name}`)}
              </Link>
              {done && <span className="hidden"> · {say('step_done')}</span>}
              <p className="quiet">{say(`step_${name}_why`)}</p>
            </div>
          </li>
        ))}
      </ol>
    </Section>
  );
}

const SEVERITY: Record<Schemas['Severity'], Tone> = { info: 'calm', warning: 'warn', critical: 'bad' };

function Alerts(): ReactNode {
  const say = useTexts(texts);
  const { tenantId, can } = useTenant();
  const queries = useQueryClient();
  const toasts = useToasts();
  const key = [tenantId, 'alerts'];
  const alerts = usePages(key, (cursor, signal) => api.call('listAlerts', { path: { tenantId }, query: { open: true, limit: 5, ...cursor }, signal }), { refetchInterval: 60_000 });
  const named = (rule: string): string => {
    const name = `rule_${rule}`;
    return isText(name) ? say(name) : rule;
  };
  const acknowledge = async (alertId: string): Promise<void> => {
    try {
      await api.call('acknowledgeAlert', { path: { tenantId, alertId } });
      toasts.done(say('acknowledged'));
    } catch (error) {
      toasts.failed(error);
    }
    await queries.invalidateQueries({ queryKey: key });
  };
  return (
    <Section title={say('alerts')}>
      {alerts.isLoading && <Skeleton lines={1} />}
      {alerts.error !== null && <Problem error={alerts.error} again={alerts.again} />}
      {!alerts.isLoading && alerts.items.length === 0 && alerts.error === null && (
        <p className="calm-line">
          <Icon name="check" />
          {say('alerts_none')}
        </p>
      )}
      <ul className="rows">
        {alerts.items.map((alert) => (
          <li key={alert.alertId}>
            <Badge tone={SEVERITY[alert.severity]}>{alert.severity}</Badge>
            <div className="grow">
              <p>{named(alert.rule)}</p>
              <p className="quiet small">
                <Time at={alert.raisedAt} />
                {alert.subject && <span className="mono"> · {alert.subject}</span>}
              </p>
            </div>
            {can('alerts:write') && <Button onClick={() => void acknowledge(alert.alertId)}>{say('acknowledge')}</Button>}
          </li>
        ))}
      </ul>
    </Section>
  );
}

const isText = (name: string): name is keyof typeof texts & `rule_${string}` => name in texts;

const DAY = 86_400_000;
const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

function Traffic(): ReactNode {
  const say = useTexts(texts);
  const write = useWriting();
  const { tenantId } = useTenant();
  const today = Date.now();
  const days = Array.from({ length: 30 }, (_, back) => dayOf(today - (29 - back) * DAY));
  const usage = useQuery({
    queryKey: [tenantId, 'usage', 'days', days[0]],
    queryFn: () => api.list('readUsage', { path: { tenantId }, query: { groupBy: 'day', from: dayOf(today - 29 * DAY), to: dayOf(today + DAY), limit: 200 } }),
  });
  const counted = new Map(usage.data?.filter(({ kind }) => kind === 'messages').map(({ group, amount }) => [group, amount]));
  const most = Math.max(0, ...counted.values());
  return (
    <Section title={say('traffic')}>
      {usage.error && <Problem error={usage.error} again={() => void usage.refetch()} />}
      {usage.isPending && <Skeleton lines={3} />}
      {usage.data && most === 0 && <p className="quiet">{say('traffic_none')}</p>}
      {most > 0 && (
        <Card>
          <div className="bars" aria-hidden="true">
            {days.map((day) => (
              <div key={day} className="bar" title={`${write.day(day)}: ${write.number(counted.get(day) ?? 0)}`}>
                <span style={{ height: `${((counted.get(day) ?? 0) / most) * 100}%` }} />
              </div>
            ))}
          </div>
          <p className="bars-foot quiet small" aria-hidden="true">
            <span>{write.day(dayOf(today - 29 * DAY))}</span>
            <span>{write.day(dayOf(today))}</span>
          </p>
          <div className="hidden">
            <Table label={say('traffic_table')} items={[...counted]} keyOf={([day]) => day} columns={[{ name: say('day'), cell: ([day]) => write.day(day) }, { name: say('count'), cell: ([, amount]) => write.number(amount) }]} />
          </div>
        </Card>
      )}
    </Section>
  );
}

function Refusals(): ReactNode {
  const say = useTexts(texts);
  const write = useWriting();
  const { tenantId } = useTenant();
  const from = dayOf(Date.now() - 6 * DAY);
  const refusals = useQuery({ queryKey: [tenantId, 'refusals', from], queryFn: () => api.call('readRefusals', { path: { tenantId }, query: { from } }) });
  const byReason = new Map<string, number>();
  for (const { reason, count } of refusals.data?.items ?? []) byReason.set(reason, (byReason.get(reason) ?? 0) + count);
  return (
    <Section title={say('refusals')}>
      {refusals.error && <Problem error={refusals.error} again={() => void refusals.refetch()} />}
      {refusals.data && byReason.size === 0 && <p className="quiet">{say('refusals_none')}</p>}
      {byReason.size > 0 && (
        <Table
          label={say('refusals')}
          items={[...byReason].sort(([, one], [, other]) => other - one)}
          keyOf={([reason]) => reason}
          columns={[
            { name: say('reason'), cell: ([reason]) => <code>{reason}</code> },
            { name: say('times'), cell: ([, count]) => write.number(count), tight: true },
          ]}
        />
      )}
    </Section>
  );
}

function Health(): ReactNode {
  const say = useTexts(texts);
  const health = useQuery({ queryKey: ['health'], queryFn: () => api.call('readReadiness'), refetchInterval: 30_000, retry: false });
  const state = health.error ? 'unavailable' : 'ok';
  return (
    <Section title={say('health')}>
      {health.isPending ? (
        <Skeleton lines={1} />
      ) : (
        <ul className="rows">
          {(health.data?.parts ?? [{ name: 'misy', status: state }]).map(({ name, status }) => (
            <li key={name}>
              <span className="grow">{name}</span>
              <Badge tone={status === 'ok' ? 'good' : 'bad'}>{say(status)}</Badge>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
