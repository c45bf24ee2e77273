import { publishableKey, signedToken, type MisyClient, type Schemas } from '@misy/api-client';

/** Somebody who writes in the chat of a site, without a browser. */
export class Contact {
  private constructor(
    private readonly misy: MisyClient,
    private readonly sessionId: string,
    readonly conversationId: string,
  ) {}

  static async at(api: MisyClient, key: string, origin: string): Promise<Contact> {
    const { token, signingKey } = await api.as(publishableKey(key, origin)).call('mintToken', { body: { siteId: 'main' } });
    if (!signingKey) throw new Error('a token of a page comes with a key');
    const misy = api.as(signedToken({ token, signingKey, origin }));
    const { sessionId, conversationId } = await misy.call('openSession', { body: { channel: 'web', locale: 'es-CO' } });
    return new Contact(misy, sessionId, conversationId);
  }

  async write(text: string): Promise<void> {
    await this.misy.call('writeMessage', { body: { sessionId: this.sessionId, text } });
  }

  /** All that was said so far. */
  async said(): Promise<Schemas['Message'][]> {
    return (await this.misy.call('listMessages', { path: { sessionId: this.sessionId } })).items;
  }
}
