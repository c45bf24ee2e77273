import { defaultClientConditions, defineConfig } from 'vite';

// `npm run dev` serves the console anew with each change, before a program that runs with MISY_PUBLIC_URL=http://localhost:5173.
const program = process.env.MISY_ORIGIN ?? 'http://127.0.0.1:8787';

export default defineConfig({
  base: '/console/',
  resolve: { conditions: ['misy-source', ...defaultClientConditions] },
  build: {
    target: 'es2022',
    // One sheet: the policy of the page lets no script write styles.
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      // "use client" of libraries means nothing here.
      onLog: (level, log, write) => (log.code === 'MODULE_LEVEL_DIRECTIVE' ? undefined : write(level, log)),
    },
  },
  server: { proxy: Object.fromEntries(['/api', '/sign-in', '/people', '/account', '/sdk', '/.well-known'].map((path) => [path, program])) },
});
