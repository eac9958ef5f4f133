// Stripe: its published OpenAPI document before a made-up account, or localstripe, which somebody else wrote.
//
// usage: node stripe.mjs KEY [SOCKET]
// The front takes KEY alone and keeps Stripe's documented word on `Idempotency-Key`: the first answer again, or an error for
// other parameters (docs.stripe.com/api/idempotent_requests). Behind it, without SOCKET, prism holds every request and answer
// against the document. With SOCKET, payouts are localstripe's, which listens there; its balance too, as a list: it writes an
// object where Stripe has one of these for each currency.
// Prints `ready PORT`. GET /calls: what was asked; GET /payouts: those that were made; POST /lose/N: the next N payouts are
// made and their answers cut off; POST /delay/MS: payouts wait.
import { createServer, request as ask } from 'node:http'
import { bodyOf, hold, json, listen } from './prism.mjs'

const [key, socketPath] = process.argv.slice(2)
const calls = []
const payouts = []
const kept = new Map()
let lost = 0
let delay = 0

const bank = {
  id: 'ba_1OwnAccount', object: 'bank_account', account_holder_name: null, account_holder_type: null, account_type: null,
  bank_name: 'STRIPE TEST BANK', country: 'US', currency: 'usd', fingerprint: null, last4: '6789', routing_number: null, status: 'new',
}
const payout = (form, at) => ({
  id: `po_${at}`, object: 'payout', amount: Number(form.get('amount')), arrival_date: 1790000000, automatic: false,
  balance_transaction: null, created: Math.floor(Date.now() / 1000), currency: form.get('currency'), description: null,
  destination: form.get('destination'), failure_balance_transaction: null, failure_code: null, failure_message: null,
  livemode: false, metadata: { reference: form.get('metadata[reference]') }, method: form.get('method'), original_payout: null,
  reconciliation_status: 'not_applicable', reversed_by: null, source_type: 'card', statement_descriptor: null, status: 'pending',
  type: 'bank_account',
})
const amount = (amount, currency) => ({ amount, currency, source_types: { card: amount } })
const balance = {
  object: 'balance', livemode: false, available: [amount(100000, 'usd'), amount(5000, 'jpy')], pending: [amount(0, 'usd')],
}
// An earlier one: its destination is one of the account's own.
payouts.push(payout(new URLSearchParams({ amount: '900', currency: 'usd', destination: bank.id, method: 'standard' }), 0))
payouts[0].metadata = {}
payouts[0].created -= 86400

const account = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://unused')
  const form = new URLSearchParams(await bodyOf(request))
  if (url.pathname === '/v1/balance') return json(response, 200, balance)
  if (request.method === 'POST') {
    const made = payout(form, payouts.length)
    payouts.push(made)
    return json(response, 200, made)
  }
  const id = url.pathname.split('/')[3]
  const found = payouts.find(payout => payout.id === id)
  if (id) return found ? json(response, 200, found) : json(response, 404, { error: { type: 'invalid_request_error', code: 'resource_missing' } })
  const since = Number(url.searchParams.get('created[gte]') ?? 0)
  const expand = url.searchParams.get('expand[]') === 'data.destination'
  const rows = payouts.filter(payout => payout.created >= since).toReversed()
  const data = rows.map(payout => expand ? { ...payout, destination: bank } : payout)
  json(response, 200, { object: 'list', url: '/v1/payouts', has_more: false, data })
})

// One request to localstripe, or through prism to the account.
const port = socketPath ? undefined : await hold('stripe.json', await listen(account))
const forward = (request, body) => new Promise((done, fail) => {
  const { authorization, 'content-type': type } = request.headers
  // Its keys begin with sk_; ours is a restricted one.
  const headers = { authorization: socketPath ? 'Bearer sk_test_12345' : authorization, ...(type ? { 'content-type': type } : {}) }
  const where = socketPath ? { socketPath } : { host: '127.0.0.1', port }
  const sent = ask({ ...where, method: request.method, path: request.url, headers }, async answer => {
    done({ status: answer.statusCode, body: await bodyOf(answer) })
  })
  sent.on('error', fail)
  sent.end(body)
})

const listed = ({ status, body }) => {
  const { available, pending, ...rest } = JSON.parse(body)
  return { status, body: JSON.stringify({ ...rest, available: [available], pending: [pending] }) }
}

const front = createServer(async (request, response) => {
  if (request.url === '/calls') return json(response, 200, calls)
  if (request.url === '/payouts') return json(response, 200, payouts.slice(1))
  if (request.url.startsWith('/lose/')) return json(response, 200, { lost: (lost = Number(request.url.split('/')[2])) })
  if (request.url.startsWith('/delay/')) return json(response, 200, { delay: (delay = Number(request.url.split('/')[2])) })
  const body = await bodyOf(request)
  if (request.headers.authorization !== `Bearer ${key}`) {
    calls.push({ path: request.url, status: 401 })
    return json(response, 401, { error: { type: 'invalid_request_error', message: 'Invalid API Key provided: rk_***' } })
  }
  const idempotent = request.headers['idempotency-key']
  const earlier = kept.get(idempotent)
  let answer
  if (earlier) {
    answer = earlier.body === body ? await earlier.answer : { status: 400, body: JSON.stringify({ error: { type: 'idempotency_error' } }) }
  } else {
    const coming = forward(request, body)
    if (idempotent) kept.set(idempotent, { body, answer: coming })
    answer = await coming
    if (socketPath && request.url === '/v1/balance') answer = listed(answer)
  }
  calls.push({ method: request.method, path: request.url, key: idempotent, repeated: Boolean(earlier), status: answer.status, ...(answer.status < 400 ? {} : { body: answer.body }) })
  if (request.method === 'POST') {
    await new Promise(done => setTimeout(done, delay))
    if (lost > 0) {
      lost -= 1
      return request.socket.destroy()
    }
  }
  response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body)
})
console.log(`ready ${await listen(front)}`)
