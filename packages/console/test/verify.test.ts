import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, test } from 'node:test';
import { leafHash, rootOf, Tampered, toBase64, verifyBundle } from '../src/rooms/audit/verify.js';

// Made another way than it is checked: RFC 9162 as its recursive definition says it, with Node's own cryptography.
const sha256 = (...parts: Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();
const half = (size: number): number => 2 ** (Math.ceil(Math.log2(size)) - 1);

function rootOfLeaves(leaves: readonly Buffer[]): Buffer {
  const [first] = leaves;
  if (!first) return sha256();
  if (leaves.length === 1) return first;
  const cut = half(leaves.length);
  return sha256(Buffer.of(1), rootOfLeaves(leaves.slice(0, cut)), rootOfLeaves(leaves.slice(cut)));
}

function pathOf(index: number, leaves: readonly Buffer[]): Buffer[] {
  if (leaves.length <= 1) return [];
  const cut = half(leaves.length);
  const [left, right] = [leaves.slice(0, cut), leaves.slice(cut)];
  return index < cut ? [...pathOf(index, left), rootOfLeaves(right)] : [...pathOf(index - cut, right), rootOfLeaves(left)];
}

const ORIGIN = 'misy-01/audit/andina';
const entryOf = (number: number): Record<string, string | number> => ({ tenantId: 'andina', auditId: `aud_${number}`, action: 'createSite', outcome: 'ok', status: 200 + number, detail: '{"ñ": "«\\n»"}' });
const leafOf = (entry: Record<string, string | number>): Buffer =>
  sha256(Buffer.of(0), Buffer.from(JSON.stringify(Object.fromEntries(Object.entries(entry).sort(([one], [other]) => (one < other ? -1 : 1))))));

/** An export of so many entries, signed at the sizes given. */
function bundle(size: number, sizes: readonly number[]): Record<string, unknown>[] {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const key = Buffer.concat([Buffer.of(1), raw]);
  const id = sha256(Buffer.from(`${ORIGIN}\n`), key).subarray(0, 4);
  const entries = Array.from({ length: size }, (_, number) => entryOf(number));
  const leaves = entries.map(leafOf);
  const note = (at: number, by: KeyObject): string => {
    const text = `${ORIGIN}\n${at}\n${rootOfLeaves(leaves.slice(0, at)).toString('base64')}\n`;
    return `${text}\n— ${ORIGIN} ${Buffer.concat([id, sign(null, Buffer.from(text), by)]).toString('base64')}\n`;
  };
  return [
    { type: 'header', format: 'misy-audit-export/1', tenantId: 'andina', origin: ORIGIN, firstLeaf: 0, treeSize: size },
    { type: 'key', key: `${ORIGIN}+${id.toString('hex')}+${key.toString('base64')}`, predecessor: null, signature: null },
    ...sizes.map((at) => ({ type: 'checkpoint', note: note(at, privateKey) })),
    { type: 'left', hashes: [] },
    ...entries.map((entry, leafIndex) => ({ type: 'entry', leafIndex, leafHash: leaves[leafIndex]?.toString('base64'), entry })),
    { type: 'right', hashes: [] },
    { type: 'end', entries: size },
  ];
}

const written = (lines: readonly unknown[]): string => `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`;
const verify = (lines: readonly unknown[]) => verifyBundle(written(lines));
const bytes = (buffer: Buffer): Uint8Array<ArrayBuffer> => Uint8Array.from(buffer);

describe('an exported trail is checked in the browser', () => {
  test('one that is as it was sealed holds, whatever its size', async () => {
    for (const size of [1, 2, 3, 7, 8, 13]) {
      const verdict = await verify(bundle(size, size > 2 ? [2, size] : [size]));
      assert.deepEqual(verdict, { entries: size, treeSize: size, origin: ORIGIN, signed: true });
    }
  });

  const EDITS: Record<string, (lines: Record<string, unknown>[]) => unknown[]> = {
    'an entry that was edited': (lines) => lines.map((line) => (line.leafIndex === 3 ? { ...line, entry: { ...entryOf(3), outcome: 'no' } } : line)),
    'an entry that was edited, with its leaf': (lines) => lines.map((line) => (line.leafIndex === 3 ? { ...line, entry: entryOf(99), leafHash: leafOf(entryOf(99)).toString('base64') } : line)),
    'an entry that is missing': (lines) => lines.filter((line) => line.leafIndex !== 3),
    'two entries that changed places': (lines) => lines.map((line) => (line.leafIndex === 3 ? { ...line, leafIndex: 4 } : line.leafIndex === 4 ? { ...line, leafIndex: 3 } : line)),
    'an entry of another tenant': (lines) => lines.map((line) => (line.leafIndex === 0 ? { ...line, entry: { ...entryOf(0), tenantId: 'verde' } } : line)),
    'an end that was cut off': (lines) => lines.slice(0, -1),
    'a last checkpoint that is missing': (lines) => lines.filter((line) => typeof line.note !== 'string' || !line.note.includes('\n7\n')),
    'a checkpoint whose text was edited': (lines) => lines.map((line) => (typeof line.note === 'string' ? { ...line, note: line.note.replace('\n5\n', '\n4\n') } : line)),
    'a checkpoint without a signature': (lines) => lines.map((line) => (typeof line.note === 'string' ? { ...line, note: line.note.replace(/— .*/, '') } : line)),
    'a key that signed nothing': (lines) => lines.map((line) => (line.type === 'key' ? bundle(1, [1])[1] : line)),
    'a second key that nobody vouches for': (lines) => lines.flatMap((line) => (line.type === 'key' ? [line, { ...bundle(1, [1])[1], signature: 'AA==' }] : [line])),
    'something that is no export': () => [{ type: 'header', format: 'another/1' }],
  };
  for (const [what, edit] of Object.entries(EDITS)) {
    test(`${what} is found`, async () => {
      await assert.rejects(verify(edit(bundle(7, [5, 7]))), Tampered);
    });
  }

  test('the path of each entry leads to the root, and no other does', async () => {
    for (const size of [1, 2, 5, 8, 11]) {
      const leaves = Array.from({ length: size }, (_, number) => leafOf(entryOf(number)));
      const root = rootOfLeaves(leaves).toString('base64');
      for (const [index] of leaves.entries()) {
        const leaf = await leafHash(entryOf(index));
        const path = pathOf(index, leaves).map(bytes);
        assert.equal(toBase64(await rootOf(leaf, index, size, path)), root);
        const elsewhere = await rootOf(await leafHash(entryOf(77)), index, size, path);
        assert.notEqual(toBase64(elsewhere), root);
        await assert.rejects(rootOf(leaf, index, size, [...path, leaf]), Tampered);
        await assert.rejects(rootOf(leaf, size, size, path), Tampered);
      }
    }
  });
});
