import { randomUUID } from 'node:crypto';

type Part = { type: string } & Record<string, unknown>;

interface FakeFile {
  bytes: Buffer;
  mediaType: string;
  name: string;
  sessionId: string;
}

/** Files that visitors sent, and the links by which they are read. */
export class FakeFiles {
  readonly stored = new Map<string, FakeFile>();
  /** Links of an earlier time open nothing. */
  time = 1;
  largest = 1024 * 1024;

  constructor(private readonly base: () => string) {}

  /** What an upload is answered with, or the status of its refusal. */
  async store(body: Buffer, contentType: string): Promise<{ fileId: string; mediaType: string; size: number; name: string } | number> {
    const form = await new Response(new Uint8Array(body), { headers: { 'Content-Type': contentType } }).formData();
    const file = form.get('file');
    if (!(file instanceof Blob)) return 422;
    const bytes = Buffer.from(await file.arrayBuffer());
    if (bytes.length > this.largest) return 413;
    if (bytes.toString('latin1').startsWith('<')) return 415;
    const mediaType = bytes.toString('latin1', 1, 4) === 'PNG' ? 'image/png' : bytes.toString('latin1', 0, 4) === '%PDF' ? 'application/pdf' : 'text/plain';
    const fileId = `fil_${randomUUID().replaceAll('-', '')}`;
    const { name } = file as unknown as { name: string };
    const sessionId = form.get('sessionId') as string;
    this.stored.set(fileId, { bytes, mediaType, name, sessionId });
    return { fileId, mediaType, size: bytes.length, name };
  }

  /** Whether a session may send it. */
  isOf(fileId: string, sessionId: string): boolean {
    return this.stored.get(fileId)?.sessionId === sessionId;
  }

  part(fileId: string): Part {
    const { mediaType, name, bytes } = this.stored.get(fileId) ?? { mediaType: '', name: '', bytes: Buffer.of() };
    return { type: mediaType.startsWith('image/') ? 'image' : 'file', fileId, mediaType, name, size: bytes.length };
  }

  linked(part: Part): Part {
    return part.fileId ? { ...part, url: `${this.base()}/files/${part.fileId as string}?time=${this.time}` } : part;
  }

  /** What a link opens. */
  read(fileId: string, query: URLSearchParams): FakeFile | undefined {
    return Number(query.get('time')) === this.time ? this.stored.get(fileId) : undefined;
  }
}
