// CPU time of the npm package ccxt for what a connector does, on the input files that `inputs.mjs` wrote; one JSON object.
//
//   node bench.mjs FOLDER
//
// sign: `exchange.sign()` builds the signed request for the balance, with the clock fixed.
// parse: `exchange.fetchBalance()` less `sign`, with the transport replaced by the text of the answer: JSON, error checks, rows to
// {free, used, total} by currency code. ccxt's defaults are kept; markets are loaded, so that currency codes are looked up as in use.
// The main thread's CPU alone counts: what the garbage collector and the compiler do on other threads is not held against ccxt.
import fs from 'node:fs';
import path from 'node:path';
import ccxt from 'ccxt';

const AT = 1_700_000_000_123;
const ROUNDS = 7;
const ROUND_NS = 40_000_000;
const WARM_NS = 250_000_000;

// The same call on both sides: path, api, method, parameters; and how ccxt is asked for that balance.
const CALLS = {
  kraken: { sign: ['BalanceEx', 'private', 'POST', {}], balance: {} },
  binance: { sign: ['account', 'private', 'GET', {}], balance: { type: 'spot' } },
  coinbase: { sign: ['brokerage/accounts', ['v3', 'private'], 'GET', { limit: 250 }], balance: { v3: true } },
  okx: { sign: ['account/balance', 'private', 'GET', {}], balance: {} },
  bybit: { sign: ['v5/account/wallet-balance', 'private', 'GET', { accountType: 'UNIFIED' }], balance: {}, options: { enableUnifiedMargin: false, enableUnifiedAccount: true } },
  kucoin: { sign: ['accounts', 'private', 'GET', {}], balance: { type: 'trade' }, options: { uta: false, hf: false } },
};

/** CPU time of the main thread in nanoseconds. */
const cpu = () => Number(fs.readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')[0]);

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Microseconds of one `work`: the median over the rounds of the mean of a round. */
async function micros(work) {
  let count = 1;
  for (let start = cpu(); cpu() - start < WARM_NS; count += 1) await work();
  const calls = Math.max(1, Math.round((count * ROUND_NS) / WARM_NS));
  const rounds = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = cpu();
    for (let call = 0; call < calls; call += 1) await work();
    rounds.push((cpu() - start) / calls / 1000);
  }
  return median(rounds);
}

/** A client whose every request is answered with `text`. */
function client(exchange, credential, text, options) {
  const made = new ccxt[exchange]({ ...credential, enableRateLimit: false });
  Object.assign(made.options, options);
  made.milliseconds = () => AT;
  made.fetch = (url, method, headers, body) =>
    made.handleRestResponse({ status: 200, statusText: 'OK', headers: { 'content-type': 'application/json' }, text: async () => text }, url, method, headers, body);
  return made;
}

/** A market against USDT for each asset of the answer. */
function load(made, assets) {
  made.setMarkets(assets.map((asset) => ({ ...made.safeMarketStructure(), id: `${asset}USDT`, symbol: `${asset}/USDT`, base: asset, quote: 'USDT', baseId: asset, quoteId: 'USDT', type: 'spot', spot: true, active: true })));
}

const folder = process.argv[2];
const results = {};
for (const [exchange, { sign, balance, options }] of Object.entries(CALLS)) {
  const read = (what) => fs.readFileSync(path.join(folder, `${exchange}.${what}.json`), 'utf8');
  const made = client(exchange, JSON.parse(read('credential')), read('balance'), options);
  made.setMarkets([]);
  const assets = Object.keys((await made.fetchBalance(balance)).total);
  if (assets.length !== 500) throw new Error(`${exchange}: ${assets.length} assets`);
  load(made, assets);
  const signs = await micros(() => made.sign(...sign));
  const whole = await micros(() => made.fetchBalance(balance));
  results[exchange] = { sign_us: signs, parse_us: whole - signs };
}
const { version } = JSON.parse(fs.readFileSync(new URL("./node_modules/ccxt/package.json", import.meta.url)));
console.log(JSON.stringify({ version, node: process.version, exchanges: results }));
