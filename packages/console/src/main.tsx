import { MisyProblem } from '@misy/api-client';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { SignedIn } from './frame/signed-in.js';
import { show, theme } from './frame/theme.js';
import { Toasts } from './parts/toasts.js';
import { router } from './router.js';
import './styles/tokens.css';
import './styles/base.css';
import './styles/parts.css';
import './styles/frame.css';
import './styles/rooms.css';
import './styles/inbox.css';
import { Words } from './words/words.js';

show(theme());

// Kept by the browser while somebody was elsewhere, who may have signed out there: what is shown again is asked for again.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // What the API refuses it refuses again; a network that failed may work by now.
      retry: (failures, error) => failures < 2 && !(error instanceof MisyProblem && error.status < 500),
    },
  },
});

const place = document.getElementById('root');
if (place) {
  createRoot(place).render(
    <StrictMode>
      <Words>
        <QueryClientProvider client={queries}>
          <Toasts>
            <SignedIn>
              <RouterProvider router={router} />
            </SignedIn>
          </Toasts>
        </QueryClientProvider>
      </Words>
    </StrictMode>,
  );
}
