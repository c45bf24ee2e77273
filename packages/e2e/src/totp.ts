import { createHmac } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

const STEP_MS = 30_000;
/** A browser on a busy machine takes so long to hand a code over. */
const ENOUGH_MS = 20_000;

/** The step of the last code that was shown, by secret. */
const shown = new Map<string, number>();

/**
 * A code of an authenticator app that was not shown before. The server takes those of this moment, of the one before and of the one
 * after, each once and in order: so three can be used within a minute, and only a fourth has to wait.
 */
export async function totp(secret: string): Promise<string> {
  for (;;) {
    const now = Date.now();
    const oldest = Math.floor((now + ENOUGH_MS) / STEP_MS) - 1;
    const newest = Math.floor(now / STEP_MS) + 1;
    const step = Math.max(oldest, (shown.get(secret) ?? 0) + 1);
    if (step <= newest) {
      shown.set(secret, step);
      return codeOf(secret, step);
    }
    await pause(STEP_MS - (now % STEP_MS));
  }
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
