// Cuts an OpenAPI document to the paths that are asked here and to what they are about. A reference to anything else (the
// customers, disputes and charges that an answer could be made to hold too) allows anything; the rest is as published.
const PATHS = ['/v1/balance', '/v1/payouts', '/v1/payouts/{payout}']
const ABOUT = [
  'balance', 'balance_amount', 'balance_amount_by_source_type', 'payout', 'bank_account', 'card', 'deleted_bank_account',
  'deleted_card', 'error', 'api_errors',
]

const chunks = []
for await (const chunk of process.stdin) chunks.push(chunk)
const document = JSON.parse(Buffer.concat(chunks))
const PREFIX = '#/components/schemas/'
const cut = part => {
  if (Array.isArray(part)) return part.map(cut)
  if (part === null || typeof part !== 'object') return part
  if (part.$ref?.startsWith(PREFIX) && !ABOUT.includes(part.$ref.slice(PREFIX.length))) return {}
  return Object.fromEntries(Object.entries(part).map(([name, value]) => [name, cut(value)]))
}
const paths = Object.fromEntries(PATHS.map(path => [path, cut(document.paths[path])]))
const schemas = Object.fromEntries(ABOUT.map(name => [name, cut(document.components.schemas[name])]))
process.stdout.write(JSON.stringify({ ...document, paths, components: { ...document.components, schemas } }))
