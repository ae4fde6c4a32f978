// An identity provider for tests (oidc-provider, over TLS on 127.0.0.1): whoever signs in says who they are and how well they
// were seen. Says `port N` and ends with its standard input.
//
// node e2e/provider.mjs CERTIFICATE KEY SETTINGS
// SETTINGS: { port (0: any), keys: file of its signing key, made where there is none, client: {…} as registered }
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { Provider } from 'oidc-provider'

const [certificate, key, settingsFile] = process.argv.slice(2)
const settings = JSON.parse(readFileSync(settingsFile, 'utf8'))

const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) })
if (!existsSync(settings.keys)) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwk = { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' }
  writeFileSync(settings.keys, JSON.stringify({ keys: [jwk] }), { mode: 0o600 })
}
server.listen(settings.port, '127.0.0.1', () => begin(server.address().port))

function begin(port) {
  const provider = new Provider(`https://127.0.0.1:${port}`, {
    jwks: JSON.parse(readFileSync(settings.keys, 'utf8')),
    clients: [settings.client],
    cookies: { keys: ['a secret of this test'] },
    acrValues: ['one', 'two'],
    claims: { openid: ['sub'], acr: null, amr: null, auth_time: null, sid: null, iss: null },
    features: {
      devInteractions: { enabled: false },
      claimsParameter: { enabled: true },
      // its own page would ask another machine for a font
      rpInitiatedLogout: { enabled: true, logoutSource: (ctx, form) => { ctx.body = page(`${form}<button form="op.logoutForm" name="logout" value="yes">Se déconnecter</button>`) } },
    },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    ttl: { Interaction: 600, Grant: 600, Session: 600, AccessToken: 600, IdToken: 600 },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    // nobody is asked what the service may know: it asks for nothing but who somebody is
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId })
      grant.addOIDCScope('openid')
      grant.addOIDCClaims(['acr', 'amr'])
      await grant.save()
      return grant
    },
  })
  const protocol = provider.callback()
  server.on('request', (request, response) => {
    const url = new URL(request.url, `https://127.0.0.1:${port}`)
    if (!url.pathname.startsWith('/interaction/')) return protocol(request, response)
    interact(provider, url, request, response).catch((error) => {
      response.writeHead(500)
      response.end(String(error))
    })
  })
  console.log(`port ${port}`)
}

/** A form for a person in a browser; a test sends what the form would. */
async function interact(provider, url, request, response) {
  const login = url.searchParams.get('login')
  if (login === null) {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
    const fields = '<label>Identité <input name="login" required></label><label>Niveau <input name="acr" value="two"></label>'
    response.end(page(`<form>${fields}<button>Se connecter</button></form>`))
    return
  }
  if (url.searchParams.has('abort')) {
    await provider.interactionFinished(request, response, { error: 'access_denied', error_description: 'given up' })
    return
  }
  const acr = url.searchParams.get('acr') ?? undefined
  const amr = url.searchParams.get('amr')?.split(' ')
  await provider.interactionFinished(request, response, { login: { accountId: login, acr, amr } })
}

function page(content) {
  return `<!doctype html><html lang="fr"><title>Fournisseur d’essai</title>${content}</html>`
}

process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
