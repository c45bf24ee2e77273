import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

const PAGES = new URL('../../demo-site/', import.meta.url);
const TYPES: Record<string, string> = { html: 'text/html; charset=utf-8', css: 'text/css', svg: 'image/svg+xml' };

/** What the API server does for the demo sites: one origin per tenant, places filled in, strict CSP. */
export class DemoSite {
  private constructor(private readonly server: Server) {}

  static async start(tenantId: string, publicKey: string, apiOrigin: string, port = 0): Promise<DemoSite> {
    const policy = [
      "default-src 'none'",
      `script-src ${apiOrigin}`,
      "style-src 'self'",
      `connect-src ${apiOrigin}`,
      `img-src 'self' data: ${apiOrigin}`,
      "base-uri 'none'",
      "form-action 'none'",
    ].join('; ');
    const values: Record<string, string> = { apiOrigin, publicKey, tenantId };
    const server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://site');
      const name = pathname === '/' ? 'index.html' : pathname.slice(1);
      const type = TYPES[name.split('.').at(-1) ?? ''];
      const missing = (): void => void response.writeHead(404).end();
      if (!type || !/^[\w-]+\.\w+$/.test(name)) {
        missing();
        return;
      }
      readFile(new URL(`${tenantId}/${name}`, PAGES), 'utf8').then((text) => {
        const filled = text.replace(/\{\{(\w+)\}\}/g, (_, place: string) => values[place] ?? '');
        response.writeHead(200, { 'Content-Type': type, 'Content-Security-Policy': policy }).end(filled);
      }, missing);
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return new DemoSite(server);
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
