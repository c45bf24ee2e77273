import type { Client } from '../core/client.js';
import type { Attachment } from '../public.js';

// Taken when this is loaded, as all that the SDK needs of the page's globals.
const { FormData: Form, Response: Answer, XMLHttpRequest: Request } = globalThis;

/** Uploads a file to the visitor's session. `told` hears how much of it is there, from 0 to 1. */
export async function upload(client: Client, file: File, told: (share: number) => void, signal: AbortSignal): Promise<Attachment> {
  const { sessionId } = await client.session();
  const form = new Form();
  form.append('sessionId', sessionId);
  form.append('file', file, file.name);
  // The signature covers the bytes as they are sent, so they are written down before.
  const written = new Answer(form);
  const headers = {
    'Content-Type': written.headers.get('Content-Type') ?? '',
    // A try again after a lost answer finds the file that is there.
    'Idempotency-Key': crypto.randomUUID(),
  };
  const bytes = new Uint8Array(await written.arrayBuffer());
  const response = await client.gateway.request('POST', '/files', { bytes, headers, signal, send: watched(told) });
  return (await response.json()) as Attachment;
}

/** `fetch` that tells how far it is. */
const watched =
  (told: (share: number) => void): typeof fetch =>
  (address, { method = 'GET', headers, body, signal } = {}) =>
    new Promise((resolve, reject) => {
      const request = new Request();
      request.open(method, address as URL);
      for (const [name, value] of Object.entries(headers as Record<string, string>)) request.setRequestHeader(name, value);
      request.upload.onprogress = ({ loaded, total }) => told(loaded / total);
      request.onload = () => {
        const after = request.getResponseHeader('Retry-After');
        resolve(new Answer(request.responseText, { status: request.status, headers: after ? { 'Retry-After': after } : {} }));
      };
      request.onerror = request.onabort = () => reject(new TypeError('network'));
      signal?.addEventListener('abort', () => request.abort());
      request.send(body as Uint8Array<ArrayBuffer>);
    });
