import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

const VERSION = '/v25.0';
/** No such thing, or nothing that the token may see. */
const NOT_THERE = 33;

/** Meta's Graph API as far as connecting accounts needs it: it has one number and one page with an account of Instagram. */
export class FakeGraph {
  readonly phoneNumberId = '200000000000002';
  readonly businessAccountId = '100000000000001';
  readonly pageId = '300000000000003';
  readonly instagramId = '400000000000004';
  readonly appSecret = 'example_app_secret_000000000000000';
  /** What lets somebody in now. */
  token = 'EAAexampletoken';

  private constructor(private readonly server: Server) {}

  static async start(): Promise<FakeGraph> {
    const server = createServer();
    const graph = new FakeGraph(server);
    server.on('request', (request: IncomingMessage, response) => {
      const [status, body] = graph.answer(request);
      request.resume();
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return graph;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${VERSION}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private answer({ method, url = '', headers }: IncomingMessage): [number, object] {
    const { pathname, searchParams } = new URL(url, this.url);
    if (headers.authorization?.split(' ').at(-1) !== this.token) return refusal(401, 190);
    const proof = createHmac('sha256', this.appSecret).update(this.token).digest('hex');
    if (searchParams.get('appsecret_proof') !== proof) return refusal(400, 100);
    const answers: Record<string, object> = {
      [`GET /${this.phoneNumberId}`]: { id: this.phoneNumberId },
      [`GET /${this.businessAccountId}/phone_numbers`]: { data: [{ id: this.phoneNumberId }] },
      'GET /me': { id: this.pageId, name: 'Clínica Andina', instagram_business_account: { id: this.instagramId } },
      'POST /me/subscribed_apps': { success: true },
      [`GET /${this.pageId}`]: { id: this.pageId },
      [`GET /${this.instagramId}`]: { id: this.instagramId },
    };
    const answer = answers[`${method ?? ''} ${pathname.replace(VERSION, '')}`];
    return answer ? [200, answer] : refusal(400, 100, NOT_THERE);
  }
}

const refusal = (status: number, code: number, subcode?: number): [number, object] => [status, { error: { message: 'refused', code, error_subcode: subcode } }];
