// The peer for tokens: client credentials, in memory. Usage: node oidc.mjs PORT
import Provider from 'oidc-provider'

const port = Number(process.argv[2])
const client = {
  client_id: 'tiers1', client_secret: 'a-long-secret', grant_types: ['client_credentials'], redirect_uris: [],
  response_types: [], token_endpoint_auth_method: 'client_secret_post',
}
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [client], features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
})
provider.listen(port, '127.0.0.1')
