import type { Schemas } from '@misy/api-client';
import { useQuery } from '@tanstack/react-query';
import { api } from '../../api/client.js';
import { useTenant } from '../../frame/tenant.js';
import { isZone } from './days.js';

export type Booking = Schemas['Booking'];
export type Service = Schemas['OfferedService'];
export type Provider = Schemas['Provider'];

/** What a business offers, who does it, and in which zone. */
export interface Offered {
  zone: string;
  services: readonly Service[];
  providers: readonly Provider[];
  nameOf: (providerId: string) => string;
}

/** What can be booked, as the business says it. */
export function useOffered(): { offered: Offered | undefined; error: unknown; again: () => void } {
  const { tenantId } = useTenant();
  const path = { tenantId };
  const read = useQuery({
    queryKey: [tenantId, 'offered'],
    queryFn: async ({ signal }): Promise<Offered> => {
      const [pack, services, providers] = await Promise.all([
        api.call('readContextPack', { path, signal }),
        api.call('listServices', { path, signal }),
        api.call('listProviders', { path, signal }),
      ]);
      const names = new Map(providers.items.map(({ id, name }) => [id, name]));
      return {
        zone: isZone(pack.timezone) ? pack.timezone : 'UTC',
        services: services.items,
        providers: providers.items,
        nameOf: (providerId) => names.get(providerId) ?? providerId,
      };
    },
  });
  return { offered: read.data, error: read.error, again: () => void read.refetch() };
}
