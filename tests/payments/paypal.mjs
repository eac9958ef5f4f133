// A made-up PayPal account behind PayPal's own OpenAPI document.
//
// usage: node paypal.mjs CLIENT_ID CLIENT_SECRET
// Three servers on loopback: the front, which logs in (RFC 6749 §4.4; not part of that document) and takes its own tokens
// alone; prism, which refuses what the document does not allow, in either direction; and the account.
// Prints `ready PORT`. GET /calls at the front: what it saw; POST /expire ends the token that it handed out last.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'

const [id, secret] = process.argv.slice(2)
const document = 'paypal-reporting-transactions-v1.json'
const calls = []
let logins = 0
let expired = 0

const json = (response, status, body) => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
const listen = async server => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server.address().port
}
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

// Nothing happened in this account but one sale, on the day that its tests begin with.
const account = createServer((request, response) => {
  const url = new URL(request.url, 'http://unused')
  if (url.pathname.endsWith('/balances')) return json(response, 200, balances)
  const [start, end] = ['start_date', 'end_date'].map(name => Date.parse(url.searchParams.get(name)))
  const sale = Date.parse('2026-10-01T04:03:52Z')
  const details = start <= sale && sale <= end ? [transaction('2026-10-01T04:03:52Z')] : []
  json(response, 200, { transaction_details: details, account_number: 'XZXSPECPDZHZU', page: 1, total_items: details.length, total_pages: 1 })
})

const free = createServer()
const port = await listen(free)
free.close()
await once(free, 'close')
const prism = spawn(process.execPath, [
  'node_modules/@stoplight/prism-cli/dist/index.js', 'proxy', '--errors', '-h', '127.0.0.1', '-p', String(port),
  document, `http://127.0.0.1:${await listen(account)}`,
], { stdio: ['ignore', 'pipe', 'inherit'] })
process.on('exit', () => prism.kill())
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit())

const front = createServer(async (request, response) => {
  if (request.url === '/calls') return json(response, 200, calls)
  if (request.url === '/expire') return json(response, 200, { expired: (expired = logins) })
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  const authorization = request.headers.authorization
  if (request.url === '/v1/oauth2/token') {
    const known = authorization === `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
    const asked = Buffer.concat(chunks).toString() === 'grant_type=client_credentials'
    calls.push({ path: request.url, status: known && asked ? 200 : 401 })
    if (!known || !asked) return json(response, 401, { error: 'invalid_client', error_description: 'Client Authentication failed' })
    logins += 1
    return json(response, 200, { access_token: `A21AA-${logins}`, token_type: 'Bearer', expires_in: 31668 })
  }
  if (authorization !== `Bearer A21AA-${logins}` || logins <= expired) {
    calls.push({ path: request.url, status: 401 })
    return json(response, 401, { error: 'invalid_token', error_description: 'Token signature verification failed' })
  }
  const answer = await fetch(`http://127.0.0.1:${port}${request.url}`, { headers: { authorization } })
  const body = await answer.text()
  calls.push({ path: request.url, status: answer.status, ...(answer.ok ? {} : { body }) })
  response.writeHead(answer.status, { 'content-type': 'application/json' }).end(body)
})

for await (const line of createInterface({ input: prism.stdout })) {
  if (line.includes('listening on')) break
}
prism.stdout.resume()
console.log(`ready ${await listen(front)}`)
