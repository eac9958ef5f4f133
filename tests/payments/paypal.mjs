// A made-up PayPal account behind PayPal's own OpenAPI documents.
//
// usage: node paypal.mjs CLIENT_ID CLIENT_SECRET
// Servers on loopback: the front, which logs in (RFC 6749 §4.4; not part of those documents) and takes its own tokens alone;
// prism for each document, which refuses what it does not allow, in either direction; and the account.
// Prints `ready PORT`. GET /calls at the front: what it saw; GET /payouts: those that were made; POST /expire ends the token
// that it handed out last; POST /lose/N: the next N payouts are made and their answers cut off; POST /delay/MS: payouts wait.
import { createServer } from 'node:http'
import { bodyOf, hold, json, listen } from './prism.mjs'

const [id, secret] = process.argv.slice(2)
const calls = []
const payouts = []
let logins = 0
let expired = 0
let lost = 0
let delay = 0
let duplicate

const money = (currency_code, value) => ({ currency_code, value })

const balances = {
  balances: [
    { currency: 'USD', primary: true, total_balance: money('USD', '125.50'), available_balance: money('USD', '120.00'), withheld_balance: money('USD', '5.50') },
    { currency: 'JPY', total_balance: money('JPY', '1000'), available_balance: money('JPY', '1000'), withheld_balance: money('JPY', '0') },
  ],
  account_id: 'A3ZY4HJ8ZQQQQ',
  as_of_time: '2026-10-15T06:07:00Z',
  last_refresh_time: '2026-10-15T06:07:00Z',
}
const transaction = start => ({
  transaction_info: {
    transaction_id: '5TY05013RG002845M',
    transaction_event_code: 'T0006',
    transaction_initiation_date: start,
    transaction_updated_date: start,
    transaction_amount: money('USD', '465.00'),
    fee_amount: money('USD', '-13.79'),
    transaction_status: 'S',
  },
})

const link = batch => ({ href: `https://api-m.paypal.com/v1/payments/payouts/${batch}`, rel: 'self', method: 'GET' })
const header = payout => ({ payout_batch_id: payout.batch, batch_status: 'PENDING', sender_batch_header: payout.header })

// A batch of a name that was used is refused, with a link to the first: so the document's own words, whose schema of refusals
// has no such one. So prism holds the request, and its complaint about this answer is not passed on.
function pay(response, { sender_batch_header: header_, items }) {
  const known = payouts.find(payout => payout.header.sender_batch_id === header_.sender_batch_id)
  if (known) {
    const details = [{ field: 'SENDER_BATCH_ID', issue: 'Duplicate batch request' }]
    duplicate = { name: 'USER_BUSINESS_ERROR', message: 'User business error.', debug_id: '1', details, links: [link(known.batch)] }
    return json(response, 400, duplicate)
  }
  const payout = { batch: `BATCH${payouts.length}`, header: header_, items }
  payouts.push(payout)
  json(response, 201, { batch_header: header(payout), links: [link(payout.batch)] })
}

function look(response, batch) {
  const payout = payouts.find(payout => payout.batch === batch)
  if (!payout) return json(response, 404, { name: 'INVALID_RESOURCE_ID', message: 'Requested resource ID was not found.', debug_id: '1' })
  const items = payout.items.map((item, at) => ({
    payout_item_id: `ITEM${at}`, transaction_id: `T${at}`, transaction_status: 'SUCCESS', payout_batch_id: batch,
    payout_item_fee: { currency: 'USD', value: '0.25' }, payout_item: { ...item, recipient_wallet: 'PAYPAL' },
  }))
  json(response, 200, { batch_header: { ...header(payout), batch_status: 'SUCCESS' }, items, links: [link(batch)] })
}

// Nothing happened in this account but one sale, on the day that its tests begin with.
const account = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://unused')
  const body = await bodyOf(request)
  if (url.pathname === '/v1/payments/payouts') return pay(response, JSON.parse(body))
  if (url.pathname.startsWith('/v1/payments/payouts/')) return look(response, url.pathname.split('/')[4])
  if (url.pathname.endsWith('/balances')) return json(response, 200, balances)
  const [start, end] = ['start_date', 'end_date'].map(name => Date.parse(url.searchParams.get(name)))
  const sale = Date.parse('2026-10-01T04:03:52Z')
  const details = start <= sale && sale <= end ? [transaction('2026-10-01T04:03:52Z')] : []
  json(response, 200, { transaction_details: details, account_number: 'XZXSPECPDZHZU', page: 1, total_items: details.length, total_pages: 1 })
})

const behind = await listen(account)
const reports = await hold('paypal-reporting-transactions-v1.json', behind)
const payments = await hold('paypal-payments-payouts-batch-v1.json', behind)

const front = createServer(async (request, response) => {
  if (request.url === '/calls') return json(response, 200, calls)
  if (request.url === '/payouts') return json(response, 200, payouts)
  if (request.url.startsWith('/lose/')) return json(response, 200, { lost: (lost = Number(request.url.split('/')[2])) })
  if (request.url.startsWith('/delay/')) return json(response, 200, { delay: (delay = Number(request.url.split('/')[2])) })
  if (request.url === '/expire') return json(response, 200, { expired: (expired = logins) })
  const asking = await bodyOf(request)
  const authorization = request.headers.authorization
  if (request.url === '/v1/oauth2/token') {
    const known = authorization === `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
    const asked = asking === 'grant_type=client_credentials'
    calls.push({ path: request.url, status: known && asked ? 200 : 401 })
    if (!known || !asked) return json(response, 401, { error: 'invalid_client', error_description: 'Client Authentication failed' })
    logins += 1
    return json(response, 200, { access_token: `A21AA-${logins}`, token_type: 'Bearer', expires_in: 31668 })
  }
  if (authorization !== `Bearer A21AA-${logins}` || logins <= expired) {
    calls.push({ path: request.url, status: 401 })
    return json(response, 401, { error: 'invalid_token', error_description: 'Token signature verification failed' })
  }
  const port = request.url.startsWith('/v1/payments/') ? payments : reports
  const { method, headers: { 'content-type': type } } = request
  const headers = { authorization, ...(type ? { 'content-type': type } : {}) }
  const answer = await fetch(`http://127.0.0.1:${port}${request.url}`, { method, headers, ...(asking ? { body: asking } : {}) })
  const held = await answer.text()
  const [status, body] = duplicate ? [400, JSON.stringify(duplicate)] : [answer.status, held]
  calls.push({ method, path: request.url, status: duplicate ? 200 : status, duplicate: Boolean(duplicate), ...(answer.ok || duplicate ? {} : { body }) })
  duplicate = undefined
  if (method === 'POST') {
    await new Promise(done => setTimeout(done, delay))
    if (lost > 0) {
      lost -= 1
      return request.socket.destroy()
    }
  }
  response.writeHead(status, { 'content-type': 'application/json' }).end(body)
})
console.log(`ready ${await listen(front)}`)
