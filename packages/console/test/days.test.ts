import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dayAfter, dayAt, isDay, isZone, startOf } from '../src/rooms/bookings/days.js';

test('a day begins when its date does, wherever that is', () => {
  assert.equal(startOf('2026-12-03', 'UTC'), '2026-12-03T00:00:00.000Z');
  assert.equal(startOf('2026-12-03', 'America/Bogota'), '2026-12-03T05:00:00.000Z');
  assert.equal(startOf('2026-12-03', 'Pacific/Kiritimati'), '2026-12-02T10:00:00.000Z');
  assert.equal(startOf('2026-12-03', 'Pacific/Pago_Pago'), '2026-12-03T11:00:00.000Z');
  assert.equal(startOf('2026-12-03', 'Asia/Kathmandu'), '2026-12-02T18:15:00.000Z');
});

test('a day without a midnight begins an hour later, and one of 25 hours ends an hour later', () => {
  // In Chile clocks go forward at midnight, so that Sunday begins at one.
  assert.equal(startOf('2026-09-06', 'America/Santiago'), '2026-09-06T04:00:00.000Z');
  assert.equal(startOf('2026-09-07', 'America/Santiago'), '2026-09-07T03:00:00.000Z');
  // And back at midnight, so that Saturday has an hour twice.
  assert.equal(startOf('2026-04-04', 'America/Santiago'), '2026-04-04T03:00:00.000Z');
  assert.equal(startOf('2026-04-05', 'America/Santiago'), '2026-04-05T04:00:00.000Z');
});

test('days follow each other over months and years, and a moment is of one of them', () => {
  assert.equal(dayAfter('2026-12-31'), '2027-01-01');
  assert.equal(dayAfter('2026-03-01', -1), '2026-02-28');
  assert.equal(dayAt('2026-12-03T02:00:00Z', 'America/Bogota'), '2026-12-02');
  for (const zone of ['UTC', 'America/Santiago', 'Asia/Tokyo']) {
    for (let day = '2026-01-01'; day < '2027-01-01'; day = dayAfter(day)) {
      const start = startOf(day, zone);
      assert.equal(dayAt(start, zone), day);
      assert.equal(dayAt(Date.parse(start) - 60_000, zone), dayAfter(day, -1));
    }
  }
});

test('what is typed is a day or is not', () => {
  assert.ok(isDay('2026-12-03'));
  for (const text of ['', '2026-13-01', '3/12/2026', '2026-12-03T00:00']) assert.ok(!isDay(text), text);
  assert.ok(isZone('America/Santiago'));
  assert.ok(!isZone('Atlantis/Capital'));
});
