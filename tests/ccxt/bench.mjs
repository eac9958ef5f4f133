// CPU time of the npm package ccxt for what a connector does; one JSON object.
//
//   node bench.mjs FOLDER
//
// The folder holds an answer of 500 assets for each exchange, EXCHANGE.json, as the connectors' own bench parsed it.
// sign: `exchange.sign()` builds the signed request for the balance, with the clock fixed.
// parse: `exchange.fetchBalance()` less `sign`, with the transport replaced by the text of the answer: JSON, error checks, rows to
// {free, used, total} by currency code. ccxt's defaults are kept; markets are loaded, so that currency codes are looked up as in use
// (without, it is slower).
import { generateKeyPairSync } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import ccxt from 'ccxt';

const AT = 1_700_000_000_123;
const ROUNDS = 7;
const ROUND_NS = 40_000_000;
const WARM_NS = 250_000_000;

const SECRET = 'U0VDUkVUdGVzdC1zZWNyZXQtMDAwMQ==';
const P256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'sec1', format: 'pem' });

// The connectors' calls: path, api, method, parameters; and how ccxt is asked for the same balance.
const CALLS = {
  binance: { sign: ['account', 'private', 'GET', {}], balance: { type: 'spot' } },
  bybit: { sign: ['v5/account/wallet-balance', 'private', 'GET', { accountType: 'UNIFIED' }], balance: {}, options: { enableUnifiedMargin: false, enableUnifiedAccount: true } },
  coinbase: { sign: ['accounts', ['v2', 'private'], 'GET', { limit: 250 }], balance: {}, secret: P256 },
  kraken: { sign: ['BalanceEx', 'private', 'POST', {}], balance: {} },
  kucoin: { sign: ['accounts', 'private', 'GET', { type: 'trade' }], balance: { type: 'trade' }, options: { uta: false, hf: false } },
  okx: { sign: ['account/balance', 'private', 'GET', {}], balance: {} },
};

/** CPU time of this process in nanoseconds. */
const cpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
};

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
function client(exchange, secret, text, options) {
  const made = new ccxt[exchange]({ apiKey: 'APIKEYtest0001', secret, password: 'a passphrase', enableRateLimit: false });
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
for (const [exchange, { sign, balance, options, secret }] of Object.entries(CALLS)) {
  const text = fs.readFileSync(path.join(folder, `${exchange}.json`), 'utf8');
  const made = client(exchange, secret ?? SECRET, text, options);
  made.setMarkets([]);
  const assets = Object.keys((await made.fetchBalance(balance)).total);
  if (assets.length !== 500) throw new Error(`${exchange}: ${assets.length} assets`);
  load(made, assets);
  const signs = await micros(() => made.sign(...sign));
  const whole = await micros(() => made.fetchBalance(balance));
  results[exchange] = { sign_us: signs, parse_us: whole - signs };
}
const { version } = JSON.parse(fs.readFileSync(new URL('./node_modules/ccxt/package.json', import.meta.url)));
console.log(JSON.stringify({ version, node: process.version, exchanges: results }));
