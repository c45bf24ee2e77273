import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import type { Schemas } from '@misy/api-client';
import type { Locator, Page } from 'playwright-core';
import { eventually } from '../src/eventually.js';
import { inspect } from '../src/inspect.js';
import { NO_PROGRAM } from '../src/installation.js';
import { heading, Office } from '../src/office.js';

const ZONE = 'America/Bogota';
const ALWAYS: [string, string][] = [['00:00', '23:30']];
const WEEK = { mon: ALWAYS, tue: ALWAYS, wed: ALWAYS, thu: ALWAYS, fri: ALWAYS, sat: ALWAYS, sun: ALWAYS };

const NOW = Date.now();
/** So many days from now where the clinic is. */
const dayIn = (days: number): string => new Intl.DateTimeFormat('en-CA', { timeZone: ZONE, dateStyle: 'short' }).format(NOW + days * 24 * 3600_000);

/** A clinic that is always open, but for some days, and books from the third one on: so no test depends on the hour. */
const PACK: Schemas['ContextPack'] = {
  displayName: 'Clínica Andina',
  industry: 'Dental clinic',
  locale: 'es-CO',
  timezone: ZONE,
  currency: 'COP',
  contact: { email: 'contacto@andina.example' },
  openingHours: { weekly: WEEK, exceptions: [1, 2, 6].map((days) => ({ date: dayIn(days), closed: true })) },
  services: [
    { id: 'limpieza', name: 'Limpieza dental', durationMinutes: 30, providerIds: ['rojas', 'vidal'] },
    { id: 'implante', name: 'Implante', durationMinutes: 60, providerIds: ['vidal'] },
  ],
  providers: [
    { id: 'rojas', name: 'Dra. Rojas', services: ['limpieza'], weeklyAvailability: WEEK },
    { id: 'vidal', name: 'Dr. Vidal', services: ['limpieza', 'implante'], weeklyAvailability: WEEK },
  ],
  bookingPolicy: { slotMinutes: 30, minAdvanceMinutes: 2 * 24 * 60, maxAdvanceDays: 60 },
};

describe('people look after bookings and what waits in the console', { skip: NO_PROGRAM }, () => {
  let office: Office;

  before(async () => (office = await Office.open({ pack: PACK })));
  after(() => office.close());

  const rowOf = (page: Page, name: string): Locator => page.getByRole('row', { name: new RegExp(name) });

  /** Begins a booking on a day that nothing else is on. */
  async function begin(page: Page, day: string, name: string): Promise<Locator> {
    await page.getByLabel('Day', { exact: true }).fill(day);
    await page.getByRole('button', { name: 'New booking' }).click();
    const form = page.getByRole('dialog', { name: 'New booking' });
    await form.getByLabel('With whom').selectOption('Dra. Rojas');
    await form.getByLabel('Name').fill(name);
    return form;
  }

  const book = (form: Locator): Promise<void> => form.getByRole('button', { name: 'Book', exact: true }).click();

  async function act(page: Page, name: string, deed: string): Promise<void> {
    await page.getByRole('button', { name: `Actions for ${name}` }).click();
    await page.getByRole('menuitem', { name: deed }).click();
  }

  test('somebody books for a customer, changes, moves and cancels it, and takes each back', async () => {
    const page = await office.room('Bookings', '/bookings');
    await page.getByText('Nothing is booked on this day').waitFor();
    await inspect(page, 'console-bookings-none');
    const form = await begin(page, dayIn(3), 'Camilo Henríquez');
    assert.ok(await form.getByRole('button', { name: 'Book', exact: true }).isDisabled(), 'a time comes first');
    await form.getByRole('radio', { name: '10:00 AM' }).check();
    await form.getByLabel(/^Telephone/).fill('+57 300 123 4567');
    await form.getByLabel(/^People/).fill('1001');
    await book(form);
    await form.locator('input[aria-invalid=true]:focus').waitFor();
    await inspect(page, 'console-booking-new');
    await form.getByLabel(/^People/).fill('');
    await book(form);
    const row = rowOf(page, 'Camilo Henríquez');
    await row.getByText('10:00 AM – 10:30 AM').waitFor();
    await row.getByText('Booked').waitFor();
    await inspect(page, 'console-bookings');

    await row.getByRole('button', { name: /^10:00/ }).click();
    const details = page.getByRole('dialog', { name: 'Limpieza dental' });
    await details.getByText('+57 300 123 4567').waitFor();
    const downloading = page.waitForEvent('download');
    await details.getByRole('link', { name: 'Download for the calendar' }).click();
    assert.match(await readFile(await (await downloading).path(), 'utf8'), /BEGIN:VCALENDAR/);
    await inspect(page, 'console-booking');
    await details.getByRole('button', { name: 'Change the details' }).click();
    const change = page.getByRole('dialog', { name: 'Change the details' });
    await change.getByLabel(/^Note/).fill('Viene con su hija');
    await change.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Details saved').waitFor();
    await row.getByRole('button', { name: /^10:00/ }).click();
    await details.getByText('Viene con su hija').waitFor();
    await page.keyboard.press('Escape');

    await act(page, 'Camilo Henríquez', 'Move');
    const move = page.getByRole('dialog', { name: 'Move: Limpieza dental' });
    await move.getByLabel('With whom').selectOption('Anybody');
    await move.getByRole('radio', { name: '9:00 AM, with Dra. Rojas' }).waitFor();
    await move.getByLabel('With whom').selectOption('Dr. Vidal');
    await move.getByRole('radio', { name: '11:30 AM' }).check();
    await inspect(page, 'console-booking-move');
    await move.getByRole('button', { name: 'Move', exact: true }).click();
    await row.getByText('11:30 AM – 12:00 PM').waitFor();
    await row.getByText('Dr. Vidal').waitFor();
    await page.getByRole('button', { name: 'Undo' }).last().click();
    await row.getByText('10:00 AM – 10:30 AM').waitFor();
    await row.getByText('Dra. Rojas').waitFor();

    await act(page, 'Camilo Henríquez', 'Cancel the booking');
    const sure = page.getByRole('dialog', { name: 'Cancel the booking of Camilo Henríquez?' });
    await inspect(page, 'console-booking-cancel');
    await sure.getByRole('button', { name: 'Cancel the booking' }).click();
    await row.getByText('Cancelled').waitFor();
    await page.getByRole('button', { name: 'Undo' }).last().click();
    // What was called off stays, and the same is booked beside it.
    await row.getByText('Booked').waitFor();
    assert.equal(await row.count(), 2);

    await page.getByLabel('State').selectOption('Cancelled');
    await eventually(async () => assert.equal(await row.count(), 1));
    await page.getByLabel('Service').selectOption('Implante');
    await page.getByText('Nothing passes the filters').waitFor();
    await page.getByLabel('Service').selectOption('All');
    await page.getByLabel('State').selectOption('All');
    await page.getByLabel('With whom').selectOption('Dr. Vidal');
    await page.getByText('Nothing passes the filters').waitFor();
    await page.getByLabel('With whom').selectOption('Everybody');
    await page.getByRole('button', { name: 'Next day' }).click();
    await page.getByText('Nothing is booked on this day').waitFor();
    await page.getByRole('button', { name: 'Day before' }).click();
    await row.first().waitFor();
    await page.getByRole('button', { name: 'Today' }).click();
    await page.getByText('Nothing is booked on this day').waitFor();
    await page.close();
  });

  test('a time that somebody took meanwhile is refused where it was chosen, and others are offered in its place', async () => {
    const [page, other] = [await office.room('Bookings', '/bookings'), await office.room('Bookings', '/bookings')];
    const [form, second] = [await begin(page, dayIn(4), 'Ana María'), await begin(other, dayIn(4), 'Beatriz')];
    for (const each of [form, second]) await each.getByRole('radio', { name: '9:00 AM' }).check();
    await book(form);
    await rowOf(page, 'Ana María').waitFor();
    await book(second);
    await second.getByText('Somebody else has this time.').waitFor();
    const instead = second.getByRole('group', { name: 'Free instead' });
    assert.equal(await instead.getByRole('radio', { name: '9:00 AM' }).count(), 0);
    // What was refused is not chosen any more, nor free, and what is said about it is in sight.
    assert.ok(await second.getByRole('button', { name: 'Book', exact: true }).isDisabled());
    await second.getByRole('group', { name: 'Free times' }).getByRole('radio', { name: '9:00 AM' }).waitFor({ state: 'detached' });
    const [seen, box] = [await second.getByText('Somebody else has this time.').boundingBox(), await second.boundingBox()];
    assert.ok(seen && box && seen.y >= box.y, JSON.stringify([seen, box]));
    await inspect(other, 'console-booking-taken');
    await instead.getByRole('radio', { name: '9:30 AM' }).check();
    await book(second);
    await rowOf(other, 'Beatriz').getByText('9:30 AM – 10:00 AM').waitFor();
    // Taken back at once, it is called off.
    await other.getByRole('button', { name: 'Undo' }).click();
    await rowOf(other, 'Beatriz').getByText('Cancelled').waitFor();
    await page.close();
    await other.close();
  });

  test('on a day without free times the next one is a press away; the palette begins a booking by keys', async () => {
    const page = await office.room('Clínica Andina', '');
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Search or go to…' }).fill('make a booking');
    await page.keyboard.press('Enter');
    const form = page.getByRole('dialog', { name: 'New booking' });
    await form.getByLabel('Day').fill(dayIn(6));
    await form.getByText('There are no free times on that day.').waitFor();
    await inspect(page, 'console-booking-closed');
    await form.getByRole('button', { name: /^Go to / }).click();
    await form.getByRole('radio').first().waitFor();
    assert.equal(await form.getByLabel('Day').inputValue(), dayIn(7));
    // The times are one group: arrows move in it.
    await form.getByRole('radio').first().check();
    await page.keyboard.press('ArrowDown');
    assert.ok(await form.getByRole('radio').nth(1).isChecked());
    await page.close();
  });

  test('bookings that cannot be read say so, in the reader’s language', async () => {
    const page = await office.hers.newPage();
    let isDown = true;
    await page.route(/\/bookings\?/, (route) => (isDown ? route.abort() : route.continue()));
    await page.addInitScript(() => localStorage.setItem('misy-language', 'es'));
    await page.goto(`${office.installation.origin}/console/andina/bookings`);
    await heading(page, 'Reservas');
    await page.getByText('No se pudo llegar al servidor.').waitFor();
    await inspect(page, 'console-bookings-lost');
    isDown = false;
    await page.getByRole('button', { name: 'Intentar de nuevo' }).click();
    await page.getByText('Nada reservado este día').waitFor();
    await page.evaluate(() => localStorage.setItem('misy-language', 'en'));
    await page.close();
  });

  test('a turn that waits for somebody goes on with what they decide, once', async () => {
    const page = await office.hers.newPage();
    const turn = { conversationId: 'cnv_01k9z3v5d2m8q4x7c1b6n0f9gh', wait: 17, agentName: 'booking', waitsFor: 'person', waitsSince: new Date(Date.now() - 600_000).toISOString(), waitsUntil: new Date(Date.now() + 3600_000).toISOString() };
    const tool = { ...turn, conversationId: 'cnv_01k9z3v5d2m8q4x7c1b6n0f9gj', waitsFor: 'tool' };
    let waiting: object[] = [];
    // No agent of the program waits yet: what it would list is put in the place of its empty list.
    await page.route(/\/turns(\?|$)/, async (route) => {
      const response = await route.fetch();
      const { items, nextCursor } = (await response.json()) as { items: object[]; nextCursor: null };
      await route.fulfill({ response, json: { items: [...items, ...waiting], nextCursor } });
    });
    await page.goto(`${office.installation.origin}/console/andina/work`);
    await heading(page, 'Work');
    await page.getByText('Nothing waits').waitFor();
    await page.getByText('Nothing was given up').waitFor();
    await inspect(page, 'console-work-none');
    waiting = [turn, tool];
    await page.reload();
    await page.getByRole('row', { name: /A decision/ }).getByRole('button', { name: 'Decide' }).click();
    await inspect(page, 'console-decide');
    const form = page.getByRole('dialog', { name: 'Decide' });
    assert.ok(await form.getByRole('button', { name: 'Decide' }).isDisabled());
    await form.getByLabel('Approve').check();
    await form.getByLabel(/^Note for the assistant/).fill('With ten percent off');
    // The program knows of no such turn, and says so where it was decided.
    await form.getByRole('button', { name: 'Decide' }).click();
    await form.getByText('It is not there, or not any more.').waitFor();
    const woken: unknown[] = [];
    await page.route('**/wake', (route) => {
      woken.push(route.request().postDataJSON());
      waiting = waiting.slice(1);
      return route.fulfill({ status: 204 });
    });
    await form.getByRole('button', { name: 'Decide' }).click();
    await page.getByText('The assistant goes on').first().waitFor();
    await page.getByRole('row', { name: /A decision/ }).waitFor({ state: 'detached' });
    await page.getByRole('row', { name: /A tool/ }).getByRole('button', { name: 'Let it go on' }).click();
    const outcome = page.getByRole('dialog', { name: 'Let it go on' });
    await outcome.getByLabel(/^Outcome/).fill('{"paid":');
    await outcome.getByText(/^This is no JSON/).waitFor();
    await outcome.getByLabel(/^Outcome/).fill('{"paid": true}');
    await outcome.getByRole('button', { name: 'Let it go on' }).click();
    await page.getByText('Nothing waits').waitFor();
    assert.deepEqual(woken, [
      { wait: 17, outcome: { approved: true, by: 'Ana Rojas', note: 'With ten percent off' } },
      { wait: 17, outcome: { paid: true } },
    ]);
    await page.close();
  });
});
