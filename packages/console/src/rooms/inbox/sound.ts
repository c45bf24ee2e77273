import { useCallback, useEffect, useRef, useState } from 'react';

const KEPT = 'misy-sound';
/** Two short notes: their pitch in Hz, and when they begin. */
const NOTES = [
  [660, 0],
  [880, 0.12],
] as const;
const LASTS_S = 0.18;

function isOn(): boolean {
  try {
    return localStorage.getItem(KEPT) === 'on';
  } catch {
    return false;
  }
}

/** Browsers play nothing before somebody pressed something. */
function play(): void {
  try {
    const context = new AudioContext();
    for (const [pitch, at] of NOTES) {
      const [note, volume] = [context.createOscillator(), context.createGain()];
      note.frequency.value = pitch;
      volume.gain.setValueAtTime(0.12, context.currentTime + at);
      volume.gain.exponentialRampToValueAtTime(0.001, context.currentTime + at + LASTS_S);
      note.connect(volume).connect(context.destination);
      note.start(context.currentTime + at);
      note.stop(context.currentTime + at + LASTS_S);
    }
    setTimeout(() => void context.close(), 1000);
  } catch {
    // A browser without sound.
  }
}

/** A sound when something new calls for the person, for those who switched it on. `calls`: what calls, by names that change with news. */
export function useSound(calls: readonly string[], isReady: boolean): { on: boolean; toggle: () => void } {
  const [on, setOn] = useState(isOn);
  const before = useRef<ReadonlySet<string>>(undefined);
  const all = calls.join();
  useEffect(() => {
    // Another list brings what was there before.
    if (!isReady) {
      before.current = undefined;
      return;
    }
    const now = new Set(all.split(',').filter(Boolean));
    if (on && before.current && [...now].some((call) => !before.current?.has(call))) play();
    before.current = now;
  }, [all, isReady, on]);
  const toggle = useCallback(() => {
    const next = !isOn();
    try {
      localStorage.setItem(KEPT, next ? 'on' : 'off');
    } catch {
      // It counts for this page then.
    }
    if (next) play();
    setOn(next);
  }, []);
  return { on, toggle };
}
