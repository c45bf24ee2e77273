import type { Schemas } from '@misy/api-client';
import { createContext, use } from 'react';

export type Action = Schemas['Action'];
export type Ability = Schemas['Ability'];

/** The tenant that is looked at, who looks, and what they may do there as the API says it. */
export interface AtTenant {
  tenantId: string;
  me: Schemas['SignedIn'];
  /** Whether it is the person's own. */
  isHome: boolean;
  /** The record, of whoever may read it. */
  tenant: Schemas['Tenant'] | undefined;
  /** Whether something may be done now, or after a second factor or a reason was given. */
  can: (action: Action) => boolean;
  /** Whether it takes a reason, because it is done to another tenant. */
  needsReason: (action: Action) => boolean;
  /** Whether a privileged operation would give access. */
  needsPrivilege: (action: Action) => boolean;
}

const Context = createContext<AtTenant | undefined>(undefined);

export const TenantContext = Context;

export function useTenant(): AtTenant {
  const at = use(Context);
  if (!at) throw new Error('a room stands within a tenant');
  return at;
}
