// An independent OAuth provider in the place of a real one, with an API that takes its tokens. Both on loopback.
//
// usage: node server.mjs JSON
//   issuer        its name
//   routes        paths of its endpoints
//   client        what is registered: id, secret ("" for a public one), redirect
//   scopes        what may be asked for
//   lifetime      of an access token, in seconds
//   rotate        whether each use of a refresh token gives another one; if not said, yes
//   push          whether it takes nothing but pushed authorisation requests
//   accounts      path -> what the API answers a valid token with
//   public        path -> what it answers anybody with
// Prints `ready AUTHORISATION API`: two ports. What it saw: GET /calls at the API; POST /delay/MS holds token answers back;
// POST /deny makes the person say no from then on.
import { createServer } from 'node:http'
import Provider, { errors } from 'oidc-provider'

const config = JSON.parse(process.argv[2])
const calls = []
let delay = 0
let denies = false

const provider = new Provider(config.issuer, {
  clients: [{
    client_id: config.client.id,
    ...(config.client.secret ? { client_secret: config.client.secret } : {}),
    token_endpoint_auth_method: config.client.method,
    application_type: 'native',
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: [config.client.redirect],
  }],
  routes: config.routes,
  scopes: config.scopes,
  pkce: { required: () => true },
  features: {
    devInteractions: { enabled: false },
    revocation: { enabled: true },
    introspection: { enabled: true },
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: config.push },
  },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  issueRefreshToken: async () => true,
  rotateRefreshToken: config.rotate ?? true,
  ttl: { AccessToken: config.lifetime, RefreshToken: 3600, Grant: 3600, Session: 3600, Interaction: 600 },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  cookies: { keys: ['for this test alone'] },
})

// The person: signs in, then allows what is asked for, or not.
async function interact(request, response) {
  const { prompt, params, session } = await provider.interactionDetails(request, response)
  if (prompt.name === 'login') {
    return provider.interactionFinished(request, response, { login: { accountId: 'person' } })
  }
  if (denies) {
    const denial = { error: 'access_denied', error_description: 'the person said no' }
    return provider.interactionFinished(request, response, denial)
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
  grant.addOIDCScope(params.scope ?? '')
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } })
}

const answer = provider.callback()
const authorisation = createServer(async (request, response) => {
  const path = new URL(request.url, 'http://unused').pathname
  if (path.startsWith('/interaction/')) {
    return interact(request, response).catch(error => response.writeHead(500).end(String(error)))
  }
  if (path !== config.routes.token) return answer(request, response)
  // What is asked of the token endpoint, without what is secret in it; and the answer only after the delay.
  const chunks = []
  const { end } = response
  request.on('data', chunk => chunks.push(chunk))
  response.end = (...given) => {
    const form = new URLSearchParams(Buffer.concat(chunks).toString())
    calls.push({ endpoint: 'token', grant: form.get('grant_type'), verifier: form.has('code_verifier'), status: response.statusCode })
    setTimeout(() => end.apply(response, given), delay)
    return response
  }
  return answer(request, response)
})

const api = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://unused')
  const reply = (status, body) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }
  if (url.pathname === '/calls') return reply(200, calls)
  if (url.pathname.startsWith('/delay/')) return reply(200, { delay: (delay = Number(url.pathname.split('/')[2])) })
  if (url.pathname === '/deny') return reply(200, { denies: (denies = true) })
  if (config.public[url.pathname]) return reply(200, config.public[url.pathname])
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
  const found = token && await provider.AccessToken.find(token)
  calls.push({ endpoint: url.pathname, accepted: Boolean(found?.isValid) })
  if (!found?.isValid) return reply(401, { errors: [{ id: 'invalid_token', message: 'The access token is invalid' }] })
  const body = config.accounts[url.pathname]
  return body ? reply(200, body) : reply(404, { errors: [{ id: 'not_found', message: 'Not found' }] })
})

provider.on('server_error', (_, error) => console.error(error instanceof errors.OIDCProviderError ? error.error : error))
authorisation.listen(0, '127.0.0.1', () => api.listen(0, '127.0.0.1', () => {
  console.log(`ready ${authorisation.address().port} ${api.address().port}`)
}))
