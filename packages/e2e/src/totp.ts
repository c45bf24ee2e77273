import { createHmac } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

const STEP_MS = 30_000;
/** A browser on a busy machine takes so long to hand a code over. */
const ENOUGH_MS = 12_000;

/** The code that an authenticator app shows, so many steps of 30 s from now. Like a person, waits for the next when one is about to end. */
export async function totp(secret: string, steps = 0): Promise<string> {
  const left = STEP_MS - (Date.now() % STEP_MS);
  if (left < ENOUGH_MS) await pause(left);
  return codeOf(secret, Math.floor(Date.now() / STEP_MS) + steps);
}

/** RFC 6238. */
function codeOf(secret: string, step: number): string {
  const bits = Array.from(secret, (digit) => ALPHABET.indexOf(digit).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g)?.map((byte) => parseInt(byte, 2)) ?? []);
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac('sha1', key).update(counter).digest();
  const offset = (digest[19] ?? 0) & 15;
  return ((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).toString().padStart(6, '0');
}
