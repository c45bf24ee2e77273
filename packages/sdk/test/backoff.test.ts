import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoff } from '../src/core/backoff.js';

test('waiting times double, never pass half a minute, and differ between clients', () => {
  assert.deepEqual([1, 2, 3, 4, 5, 6, 60].map((failures) => backoff(failures, 1)), [1000, 2000, 4000, 8000, 16000, 30000, 30000]);
  assert.equal(backoff(1, 0), 500);
  assert.equal(backoff(60, 0), 15000);
});
