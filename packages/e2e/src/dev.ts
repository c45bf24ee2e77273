// Demo sites on a fake API, for working on the widget: `npm run dev`.
import { DemoSite } from './demo-sites.js';
import { FakeApi } from './fake-api/server.js';
import { publicKeyOf, TENANTS } from './fake-api/tenants.js';

const api = await FakeApi.start(8900);
console.log(`fake API         ${api.origin}`);
for (const [index, { tenantId }] of TENANTS.entries()) {
  const site = await DemoSite.start(tenantId, publicKeyOf(tenantId), api.origin, 8901 + index);
  api.allow(tenantId, site.origin);
  console.log(`${tenantId.padEnd(16)} ${site.origin}`);
}
