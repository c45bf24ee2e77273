interface Listener {
  /** All that changes from now on is heard. */
  ready: () => void;
  changed: (conversationIds: readonly string[]) => void;
  /** Anything may have changed. */
  missed: () => void;
  lost: () => void;
}

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

/** Follows what happens in the conversations of a tenant, and comes back whatever ended it. Gives what stops it. */
export function follow(tenantId: string, listener: Listener): () => void {
  let events: EventSource;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  const connect = (): void => {
    events = new EventSource(`/api/meta-agent/tenants/${encodeURIComponent(tenantId)}/inbox/events`);
    events.addEventListener('ready', () => {
      failures = 0;
      listener.ready();
    });
    events.addEventListener('changed', ({ data }: MessageEvent<string>) => listener.changed((JSON.parse(data) as { conversationIds: string[] }).conversationIds));
    events.addEventListener('missed', listener.missed);
    events.onerror = () => {
      listener.lost();
      // A browser comes back by itself when the connection is lost, and never when something else was answered than events.
      if (events.readyState === EventSource.CLOSED) timer = setTimeout(connect, pauseAfter(failures++));
    };
  };
  connect();
  return () => {
    clearTimeout(timer);
    events.close();
  };
}

/** Grows with each failure, and is not the same for all who lost it at once. */
const pauseAfter = (failures: number): number => Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2);
