import { MisyProblem, type Schemas } from '@misy/api-client';
import { useQuery } from '@tanstack/react-query';
import { createContext, type ReactNode, use } from 'react';
import { api, isSignedOut, readMe } from '../api/client.js';
import { Button, Empty, Problem, Skeleton } from '../parts/basics.js';
import { useToasts } from '../parts/toasts.js';
import { useTexts } from '../words/words.js';
import { Asked } from './asked.js';
import { forgetOthers } from './kept.js';
import { frame } from './texts.js';

const Context = createContext<Schemas['SignedIn'] | undefined>(undefined);

export function useMe(): Schemas['SignedIn'] {
  const me = use(Context);
  if (!me) throw new Error('somebody is signed in here');
  return me;
}

/** Goes to the pages for signing in, and comes back to where it was. */
export function toSignIn(): void {
  location.assign(`/sign-in?returnTo=${encodeURIComponent(location.pathname + location.search)}`);
}

/** Ends the session and leaves. Where that fails the person stays, and is told that they are still signed in. */
export function useSignOut(): () => void {
  const say = useTexts(frame);
  const { failed } = useToasts();
  const end = async (): Promise<void> => {
    await api.call('signOut').catch((error: unknown) => {
      if (!(error instanceof MisyProblem && isSignedOut(error))) throw error;
    });
    forgetOthers();
    location.assign('/sign-in?returnTo=/console');
  };
  return () => void end().catch((error: unknown) => failed(error, say('still_signed_in')));
}

/** What people of a suspended organisation see. */
export function Suspended(): ReactNode {
  const say = useTexts(frame);
  const signOut = useSignOut();
  return (
    <main className="alone">
      <Empty icon="warning" title={say('suspended')} action={<Button onClick={signOut}>{say('sign_out')}</Button>}>
        {say('suspended_why')}
      </Empty>
    </main>
  );
}

/** Shows what is within to who is signed in; sends everybody else to sign in. */
export function SignedIn({ children }: { children: ReactNode }): ReactNode {
  const me = useQuery({ queryKey: ['me'], queryFn: readMe, staleTime: Infinity, retry: false });
  if (me.error instanceof MisyProblem && isSignedOut(me.error)) {
    toSignIn();
    return null;
  }
  if (me.error) {
    return (
      <main className="alone">
        <Problem error={me.error} again={() => void me.refetch()} />
      </main>
    );
  }
  if (!me.data) {
    return (
      <main className="alone">
        <Skeleton />
      </main>
    );
  }
  if (me.data.secondFactorEnrollmentRequired) {
    location.assign('/account');
    return null;
  }
  return (
    <Context value={me.data}>
      {children}
      <Asked me={me.data} />
    </Context>
  );
}
