// A real OpenID provider for one test: oidc-provider, with one client of each role, on a port that the system chooses.
// Says its issuer on standard output once it answers.
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const roles = ['reader', 'sales', 'customer', 'admin'];
const scope = ['tmf648', 'tmf699'].flatMap((api) => ['read', 'write', 'admin'].map((right) => `${api}:${right}`)).join(' ');

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: roles.map((role) => ({
      client_id: role,
      client_secret: `secret of ${role}`,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    })),
    scopes: scope.split(' '),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'urn:tmf-sales',
        getResourceServerInfo: () => ({
          audience: 'tmf-sales',
          scope,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 600,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    extraTokenClaims: (_, token) => ({ realm_access: { roles: [token.clientId] }, parties: ['4711'] }),
  });
  server.on('request', provider.callback());
  console.log(issuer);
});
