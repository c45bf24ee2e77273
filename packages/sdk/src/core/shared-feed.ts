import type { StreamEvent } from './event-stream.js';
import type { Tools } from './tools.js';

/** An event of the session that another tab has heard. */
export interface Heard {
  sessionId: string;
  event: StreamEvent;
}

/**
 * One live connection for all tabs of a visitor: browsers allow six connections per host under HTTP/1.1, and streams would use
 * them up. The tab that holds the lock listens to the server and tells the others.
 */
export class SharedFeed {
  private readonly channel: BroadcastChannel | undefined;

  constructor(
    private readonly tools: Tools,
    private readonly name: string,
    heard: (heard: Heard) => void,
  ) {
    if (!('BroadcastChannel' in globalThis)) return;
    this.channel = new BroadcastChannel(name);
    this.channel.onmessage = ({ data }) => heard(data as Heard);
  }

  tell(sessionId: string, event: StreamEvent): void {
    this.channel?.postMessage({ sessionId, event } satisfies Heard);
  }

  /** Listens when it is this tab's turn; where tabs cannot know of each other, at once. */
  async lead(signal: AbortSignal, listen: () => Promise<void>): Promise<void> {
    if (!this.channel) return listen();
    let begun = false as boolean;
    const begin = (): Promise<void> => {
      begun = true;
      return listen();
    };
    try {
      await this.tools.lockOfOrigin(this.name, signal, begin);
    } catch (error) {
      if (begun || signal.aborted) throw error;
      await listen();
    }
  }

  close(): void {
    this.channel?.close();
  }
}
