/** One event of a `text/event-stream`. */
export interface StreamEvent {
  event: string;
  data: string;
  id: string | undefined;
}

/**
 * Reads `text/event-stream` (WHATWG HTML, 9.2.6) from pieces of any size. `EventSource` cannot carry our signed headers,
 * so the stream comes through `fetch` and is parsed here. `retry` fields are left out: we have our own back-off.
 */
export class EventStreamParser {
  private rest = '';
  private skipLineFeed = false;
  private event = '';
  private data: string[] = [];
  private id: string | undefined;

  push(piece: string): StreamEvent[] {
    // A CR at the end of the last piece has ended its line already; the LF that may follow belongs to it.
    if (this.skipLineFeed && piece.startsWith('\n')) piece = piece.slice(1);
    if (piece) this.skipLineFeed = piece.endsWith('\r');
    const lines = (this.rest + piece).split(/\r\n|\r|\n/);
    this.rest = lines.pop() ?? '';
    const events: StreamEvent[] = [];
    for (const line of lines) {
      if (line) this.field(line);
      else this.dispatch(events);
    }
    return events;
  }

  private field(line: string): void {
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') this.event = value;
    else if (name === 'data') this.data.push(value);
    else if (name === 'id') this.id = value;
  }

  private dispatch(events: StreamEvent[]): void {
    if (this.data.length) events.push({ event: this.event || 'message', data: this.data.join('\n'), id: this.id });
    this.event = '';
    this.data = [];
    this.id = undefined;
  }
}
