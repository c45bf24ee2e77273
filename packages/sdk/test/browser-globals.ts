// Node 20 has no `navigator`. Without its locks the code falls back to order within the page, which is what is tested.
Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });
