// Verifies an exported audit trail in the browser, written from docs/AUDIT.md. Only WebCrypto is needed.

/** What a check found. */
export interface Verdict {
  entries: number;
  treeSize: number;
  origin: string;
  /** Whether the signatures were checked too. */
  signed: boolean;
}

/** Something is not as it was sealed. */
export class Tampered extends Error {
  override readonly name = 'Tampered';
}

type Bytes = Uint8Array<ArrayBuffer>;

const utf8 = new TextEncoder();
const fromBase64 = (text: string): Bytes => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
export const toBase64 = (bytes: Bytes): string => btoa(String.fromCharCode(...bytes));
const same = (one: Bytes, other: Bytes): boolean => one.length === other.length && one.every((byte, at) => byte === other[at]);

function joined(...parts: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const sha256 = async (...parts: readonly Bytes[]): Promise<Bytes> => new Uint8Array(await crypto.subtle.digest('SHA-256', joined(...parts)));
const node = (left: Bytes, right: Bytes): Promise<Bytes> => sha256(Uint8Array.of(1), left, right);

/** The hash of an entry as RFC 8785 writes it: all its values are texts or whole numbers, all names ASCII. */
export function leafHash(entry: Readonly<Record<string, unknown>>): Promise<Bytes> {
  const members = Object.entries(entry).map(([name, value]) => {
    if (typeof value !== 'string' && !Number.isSafeInteger(value)) throw new Tampered(`the member ${name} has no one form`);
    return [name, value] as const;
  });
  members.sort(([one], [other]) => (one < other ? -1 : 1));
  const text = `{${members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
  return sha256(Uint8Array.of(0), utf8.encode(text));
}

/** The root that an entry at a place leads to (RFC 9162, section 2.1.3.2). */
export async function rootOf(leaf: Bytes, index: number, size: number, path: readonly Bytes[]): Promise<Bytes> {
  let [at, last, hash] = [index, size - 1, leaf];
  if (index >= size) throw new Tampered('the place is beyond the tree');
  for (const sibling of path) {
    if (last === 0) throw new Tampered('the proof is too long');
    if (at % 2 === 1 || at === last) {
      hash = await node(sibling, hash);
      while (at % 2 === 0 && at !== 0) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
    } else {
      hash = await node(hash, sibling);
    }
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  if (last !== 0) throw new Tampered('the proof is too short');
  return hash;
}

/** The complete subtrees of the leaves from `start` to `end`, by their heights, from the left. */
function heights(start: number, end: number): number[] {
  const found: number[] = [];
  for (let at = start; at < end; ) {
    let height = Math.floor(Math.log2(end - at));
    while (at % 2 ** height !== 0) height -= 1;
    found.push(height);
    at += 2 ** height;
  }
  return found;
}

/** Complete subtrees from the left, each lower than the one before. */
class Tree {
  private readonly parts: { height: number; hash: Bytes }[] = [];
  size = 0;

  async add(height: number, hash: Bytes): Promise<void> {
    const last = this.parts.at(-1);
    if (last && last.height < height) throw new Tampered('a subtree does not fit');
    this.size += 2 ** height;
    let part = { height, hash };
    for (let before = this.parts.at(-1); before?.height === part.height; before = this.parts.at(-1)) {
      this.parts.pop();
      part = { height: part.height + 1, hash: await node(before.hash, part.hash) };
    }
    this.parts.push(part);
  }

  async root(): Promise<Bytes> {
    let hash: Bytes | undefined;
    for (const part of [...this.parts].reverse()) hash = hash ? await node(part.hash, hash) : part.hash;
    return hash ?? sha256();
  }
}

interface Key {
  name: string;
  id: Bytes;
  bytes: Bytes;
}

async function parseKey(text: string): Promise<Key> {
  const [name = '', id = '', ...rest] = text.split('+');
  const bytes = fromBase64(rest.join('+'));
  const hash = await sha256(utf8.encode(name), Uint8Array.of(10), bytes);
  const hex = Array.from(hash.slice(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (bytes[0] !== 1 || bytes.length !== 33 || hex !== id) throw new Tampered('a key is none');
  return { name, id: hash.slice(0, 4), bytes: bytes.slice(1) };
}

const importKey = (bytes: Bytes): Promise<CryptoKey> => crypto.subtle.importKey('raw', bytes, 'Ed25519', false, ['verify']);

interface Checkpoint {
  origin: string;
  size: number;
  root: Bytes;
}

/** A signed note (C2SP `tlog-checkpoint`), judged by the keys that count. */
export async function parseCheckpoint(note: string, keys: readonly Key[], signs: boolean): Promise<Checkpoint> {
  const gap = note.lastIndexOf('\n\n');
  const text = note.slice(0, gap + 1);
  const [origin = '', size = '', root = ''] = text.split('\n');
  if (gap < 0 || !/^\d+$/.test(size)) throw new Tampered('a checkpoint is no signed note');
  if (signs) {
    let holds = false;
    for (const line of note.slice(gap + 2).split('\n')) {
      const [, name, encoded] = /^— (\S+) (\S+)$/.exec(line) ?? [];
      if (!name || !encoded) continue;
      const bytes = fromBase64(encoded);
      const key = keys.find((one) => one.name === name && same(one.id, bytes.slice(0, 4)));
      if (key && (await crypto.subtle.verify('Ed25519', await importKey(key.bytes), bytes.slice(4), utf8.encode(text)))) holds = true;
    }
    if (!holds) throw new Tampered(`no signature of the checkpoint of ${size} holds`);
  }
  return { origin, size: Number(size), root: fromBase64(root) };
}

/** Whether the browser can check signatures. */
export async function knowsEd25519(): Promise<boolean> {
  try {
    await crypto.subtle.importKey('raw', new Uint8Array(32), 'Ed25519', false, ['verify']);
    return true;
  } catch {
    return false;
  }
}

/** An entry with its way to the root, and the checkpoint that signed it, as the API tells them. */
export interface EntryProof {
  entry: Readonly<Record<string, unknown>>;
  leafIndex: number;
  treeSize: number;
  hashes: readonly string[];
  checkpoint?: string | null;
}

/** Proves that an entry is in the tree that a checkpoint signed, by one of the installation's public keys. Throws if it is not. */
export async function verifyEntry(proof: EntryProof, publicKeys: readonly string[]): Promise<{ signed: boolean }> {
  const { checkpoint: note } = proof;
  if (!note) throw new Tampered('no checkpoint signed the entry');
  const signed = await knowsEd25519();
  const name = note.slice(0, note.indexOf('\n'));
  const keys = await Promise.all(
    publicKeys.map(async (text): Promise<Key> => {
      const bytes = fromBase64(text);
      const hash = await sha256(utf8.encode(name), Uint8Array.of(10, 1), bytes);
      return { name, id: hash.slice(0, 4), bytes };
    }),
  );
  const checkpoint = await parseCheckpoint(note, keys, signed);
  if (checkpoint.size !== proof.treeSize) throw new Tampered('the checkpoint is of another tree');
  const root = await rootOf(await leafHash(proof.entry), proof.leafIndex, proof.treeSize, proof.hashes.map(fromBase64));
  if (!same(root, checkpoint.root)) throw new Tampered('the entry is not in the tree that was signed');
  return { signed };
}

type Line = Readonly<Record<string, unknown>> & { type: string };

function parseLine(text: string): Line {
  const line: unknown = JSON.parse(text);
  if (typeof line !== 'object' || line === null || !('type' in line) || typeof line.type !== 'string') throw new Tampered('a line is none of an export');
  return { ...line, type: line.type };
}

const textOf = (value: unknown): string => {
  if (typeof value !== 'string') throw new Tampered('a text is missing');
  return value;
};
const numberOf = (value: unknown): number => {
  if (typeof value !== 'number') throw new Tampered('a number is missing');
  return value;
};
const textsOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(textOf) : []);
function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new Tampered('an entry is missing');
  return { ...value };
}

/** Keys of an export: the first is believed, each other one must be vouched for by the one before it. */
async function keysOf(lines: readonly Line[], signs: boolean): Promise<Key[]> {
  const known: Key[] = [];
  for (const line of lines.filter(({ type }) => type === 'key')) {
    const key = await parseKey(textOf(line.key));
    const { predecessor, signature } = line;
    if (signs && known.length > 0) {
      const before = known.find(({ bytes }) => typeof predecessor === 'string' && same(bytes, fromBase64(predecessor)));
      const issuer = key.name.split('/')[0] ?? '';
      const said = utf8.encode(`misy-audit-key/1\n${issuer}\n${toBase64(key.bytes)}\n`);
      if (!before || !(await crypto.subtle.verify('Ed25519', await importKey(before.bytes), fromBase64(textOf(signature)), said))) {
        throw new Tampered('nobody vouches for a key');
      }
    }
    known.push(key);
  }
  return known;
}

/** Verifies the bundle of an export: every entry, every checkpoint, every signature. Throws what is not as it was sealed. */
export async function verifyBundle(text: string): Promise<Verdict> {
  const lines = text.trimEnd().split('\n').map(parseLine);
  const [header] = lines;
  if (header?.type !== 'header' || header.format !== 'misy-audit-export/1') throw new Tampered('this is no export of a trail');
  const signs = await knowsEd25519();
  const keys = await keysOf(lines, signs);
  const origin = textOf(header.origin);
  const treeSize = numberOf(header.treeSize);
  const checkpoints = new Map<number, Checkpoint>();
  for (const line of lines.filter(({ type }) => type === 'checkpoint')) {
    const checkpoint = await parseCheckpoint(textOf(line.note), keys, signs);
    if (checkpoint.origin !== origin) throw new Tampered('a checkpoint is of another trail');
    checkpoints.set(checkpoint.size, checkpoint);
  }
  if (!checkpoints.has(treeSize)) throw new Tampered('the last checkpoint is missing');
  const tree = new Tree();
  const look = async (): Promise<void> => {
    const checkpoint = checkpoints.get(tree.size);
    if (checkpoint && !same(checkpoint.root, await tree.root())) throw new Tampered(`the tree of ${tree.size} is not what was signed`);
  };
  const fill = async (type: string, end: number): Promise<void> => {
    const hashes = textsOf(lines.find((line) => line.type === type)?.hashes).map(fromBase64);
    const parts = heights(tree.size, end);
    if (parts.length !== hashes.length) throw new Tampered('subtrees are missing');
    for (const [at, height] of parts.entries()) {
      await tree.add(height, hashes[at] ?? new Uint8Array());
      await look();
    }
  };
  await fill('left', numberOf(header.firstLeaf));
  let entries = 0;
  for (const line of lines.filter(({ type }) => type === 'entry')) {
    if (numberOf(line.leafIndex) !== tree.size) throw new Tampered(`the entry at ${tree.size} is missing`);
    const entry = recordOf(line.entry);
    if (entry.tenantId !== header.tenantId) throw new Tampered('an entry is of another tenant');
    const hash = await leafHash(entry);
    if (!same(hash, fromBase64(textOf(line.leafHash)))) throw new Tampered(`the entry ${String(entry.auditId)} was changed`);
    await tree.add(0, hash);
    await look();
    entries += 1;
  }
  const end = lines.at(-1);
  if (end?.type !== 'end' || end.entries !== entries) throw new Tampered('the end is missing');
  await fill('right', treeSize);
  if (tree.size !== treeSize) throw new Tampered('entries are missing');
  return { entries, treeSize, origin, signed: signs };
}
