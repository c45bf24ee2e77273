import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EventStreamParser, type StreamEvent } from '../src/core/event-stream.js';

const read = (...pieces: string[]): StreamEvent[] => {
  const parser = new EventStreamParser();
  return pieces.flatMap((piece) => parser.push(piece));
};

const STREAM = ': hello\n\nid: 7\nevent: message\ndata: {"a":\ndata: 1}\n\nevent:typing\ndata:{}\n\ndata: plain\n\n';
const EVENTS = [
  { id: '7', event: 'message', data: '{"a":\n1}' },
  { id: undefined, event: 'typing', data: '{}' },
  { id: undefined, event: 'message', data: 'plain' },
];

describe('the event stream parser', () => {
  test('joins several data lines and passes over comments', () => {
    assert.deepEqual(read(STREAM), EVENTS);
  });

  for (const [name, end] of [['LF', '\n'], ['CRLF', '\r\n'], ['CR', '\r']] as const) {
    test(`reads ${name} line ends whatever the pieces`, () => {
      const stream = STREAM.replaceAll('\n', end);
      assert.deepEqual(read(stream), EVENTS);
      assert.deepEqual(read(...Array.from(stream)), EVENTS, 'one character at a time');
      for (let cut = 1; cut < stream.length; cut++) {
        assert.deepEqual(read(stream.slice(0, cut), stream.slice(cut)), EVENTS, `cut at ${cut}`);
      }
    });
  }

  test('holds back an event until its empty line has come', () => {
    const parser = new EventStreamParser();
    assert.deepEqual(parser.push('data: x\n'), []);
    assert.equal(parser.push('\n').length, 1);
  });

  test('says nothing for an event without data', () => {
    assert.deepEqual(read('event: typing\nid: 3\n\n'), []);
  });

  test('keeps all spaces of a value but the first', () => {
    assert.equal(read('data:  two\n\n')[0]?.data, ' two');
  });
});
