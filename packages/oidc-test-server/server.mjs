// A real OpenID provider for tests. Settings come as JSON in OIDC_TEST: `client` (clientId, clientSecret, redirectUri) and
// `accounts` (id to claims; `amr` and `acr` say how the account signs in). Writes one line of JSON, `{"issuer": …}`, when it
// listens, and ends with its standard input. Whoever comes to sign in says who it is by `?account=`.
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const { client, accounts } = JSON.parse(process.env.OIDC_TEST ?? '{}');
const STANDARD = ['sub', 'auth_time', 'acr', 'amr', 'email', 'email_verified', 'name'];
const claims = [...new Set([...STANDARD, ...Object.values(accounts).flatMap(Object.keys)])];

// Its libraries say what they think of plain http; nobody needs to read that.
console.warn = console.info = () => {};
process.stdin.resume().on('end', () => process.exit(0));

const server = createServer();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: client.clientId,
      client_secret: client.clientSecret,
      redirect_uris: [client.redirectUri],
      grant_types: ['authorization_code'],
      response_types: ['code'],
    },
  ],
  pkce: { required: () => true },
  conformIdTokenClaims: false,
  claims: { openid: claims, email: ['email', 'email_verified'], profile: ['name'] },
  scopes: ['openid', 'email', 'profile'],
  cookies: { keys: ['for tests only'] },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, id) => accounts[id] && { accountId: id, claims: () => ({ sub: id, ...accounts[id] }) },
});

async function interact(request, response, account) {
  const { params, prompt, session } = await provider.interactionDetails(request, response);
  if (account === 'nobody') {
    return provider.interactionFinished(request, response, { error: 'access_denied' });
  }
  if (prompt.name === 'login') {
    if (!accounts[account]) {
      response.setHeader('content-type', 'text/html');
      const links = Object.keys(accounts).map((id) => `<p><a href="?account=${encodeURIComponent(id)}">${id}</a></p>`);
      return response.end(`<!doctype html><title>Who are you?</title>${links.join('')}`);
    }
    const { amr, acr } = accounts[account];
    const login = { accountId: account, ...(amr && { amr }), ...(acr && { acr }) };
    return provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false });
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  grant.addOIDCClaims(claims);
  const consent = { grantId: await grant.save() };
  return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
}

const serve = provider.callback();
server.on('request', (request, response) => {
  const url = new URL(request.url, issuer);
  if (!url.pathname.startsWith('/interaction/')) return serve(request, response);
  interact(request, response, url.searchParams.get('account')).catch((error) => {
    response.statusCode = 500;
    response.end(String(error));
  });
});
console.log(JSON.stringify({ issuer }));
