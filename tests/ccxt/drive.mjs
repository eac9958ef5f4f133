// Drives the npm package ccxt, a client that we did not write, against the sandbox: jobs on standard input, results
// on standard output, both JSON. It reports what ccxt says and judges nothing: tests/tests/ccxt.rs does.
//
//   {"port": N, "jobs": [{"do": "time" | "tickers" | "balance" | "withdraw", "exchange": …, "credentials"?, "wallet"?, "timeout"?}]}
//
// ccxt signs for the real hosts. Just before sending, the host becomes its sandbox name, which resolves to loopback
// here; TLS verification stays on, with the sandbox's root in NODE_EXTRA_CA_CERTS.
import dns from 'node:dns';
import fs from 'node:fs';
import ccxt from 'ccxt';

const SUFFIX = '.sandbox.test';
const TIMEOUT = 10_000;
const { port, jobs } = JSON.parse(fs.readFileSync(0, 'utf8'));

const lookup = dns.lookup;
dns.lookup = (host, options, done) => {
  if (!host.endsWith(SUFFIX)) return lookup(host, options, done);
  const address = { address: '127.0.0.1', family: 4 };
  const reply = done ?? options;
  return options?.all ? reply(null, [address]) : reply(null, address.address, address.family);
};

const clients = new Map();
const markets = new Map();

/** One client for each key, as a real user has; the market list is loaded once for each exchange. */
async function client(exchange, credentials) {
  const id = JSON.stringify([exchange, credentials]);
  if (clients.has(id)) return clients.get(id);
  const made = new ccxt[exchange]({ ...credentials, enableRateLimit: false, timeout: TIMEOUT });
  made.number = String;
  const send = made.fetch.bind(made);
  made.fetch = (url, ...rest) => {
    const { origin, hostname } = new URL(url);
    return send(`https://${hostname}${SUFFIX}:${port}${url.slice(origin.length)}`, ...rest);
  };
  clients.set(id, made);
  if (markets.has(exchange)) {
    const known = markets.get(exchange);
    made.setMarkets(known.markets, known.currencies);
  } else {
    await made.loadMarkets();
    markets.set(exchange, { markets: made.markets, currencies: made.currencies });
  }
  return made;
}

/** What ccxt made of a balance: {code: {free, used, total}} as strings. */
const unified = (balance) =>
  Object.fromEntries(Object.keys(balance.total).map((code) => [code, balance[code]]).map(([code, { free, used, total }]) => [code, { free, used, total }]));

/** Rows that ccxt fetches and does not interpret: {code: {total}}. */
const rows = (list, asset, amount) => Object.fromEntries(list.map((row) => [row[asset], { total: row[amount] }]));

const plain = (params) => async (x) => unified(await x.fetchBalance(params));

// How ccxt reaches each wallet of each exchange.
const WALLETS = {
  kraken: { 'spot+earn': plain({}) },
  binance: {
    spot: plain({ type: 'spot' }),
    funding: plain({ type: 'funding' }),
    margin: plain({ type: 'margin' }),
    isolated_margin: plain({ marginMode: 'isolated' }),
    futures: async (x) => ({
      ...unified(await x.fetchBalance({ type: 'swap', subType: 'linear' })),
      ...unified(await x.fetchBalance({ type: 'swap', subType: 'inverse' })),
    }),
    earn: plain({ type: 'savings' }),
  },
  coinbase: {
    spot: plain({ v3: true }),
    vault: async (x) => {
      const { data } = await x.v2PrivateGetAccounts({ limit: 250 });
      const vaults = data.filter(({ type }) => type === 'vault').map(({ balance }) => balance);
      return rows(vaults, 'currency', 'amount');
    },
    futures: async (x) => {
      const { info } = await x.fetchBalance({ type: 'future' });
      const total = info.balance_summary.cfm_usd_balance;
      return { [total.currency]: { total: total.value } };
    },
  },
  okx: {
    unified: plain({}),
    funding: plain({ type: 'funding' }),
    earn: async (x) => ({
      ...rows((await x.privateGetFinanceSavingsBalance()).data, 'ccy', 'amt'),
      ...rows((await x.privateGetFinanceStakingDefiOrdersActive()).data.flatMap((order) => order.investData), 'ccy', 'amt'),
    }),
  },
  bybit: {
    unified: plain({}),
    funding: plain({ type: 'funding' }),
    earn: async (x) => ({
      ...rows((await x.privateGetV5EarnPosition({ category: 'FlexibleSaving' })).result.list, 'coin', 'amount'),
      ...rows((await x.privateGetV5EarnPosition({ category: 'OnChain' })).result.list, 'coin', 'amount'),
    }),
  },
  kucoin: {
    funding: plain({ type: 'funding' }),
    spot: plain({ type: 'spot' }),
    margin: plain({ type: 'margin' }),
    isolated_margin: plain({ marginMode: 'isolated' }),
    futures: async (x) => ({
      ...unified(await x.fetchBalance({ type: 'swap', code: 'USDT' })),
      // The futures host calls bitcoin XBT, and ccxt sends what it is told.
      ...unified(await x.fetchBalance({ type: 'swap', code: 'BTC', currency: 'XBT' })),
    }),
    earn: async (x) => rows((await x.earnGetEarnHoldAssets()).data.items, 'currency', 'holdAmount'),
  },
};

// A withdrawal's own endpoint, with nothing in it: enough to see whether the key may.
const WITHDRAW = {
  kraken: (x) => x.privatePostWithdraw(),
  binance: (x) => x.sapiPostCapitalWithdrawApply(),
  coinbase: (x) => x.v2PrivatePostAccountsAccountIdTransactions({ account_id: 'BTC' }),
  okx: (x) => x.privatePostAssetWithdrawal(),
  bybit: (x) => x.privatePostV5AssetWithdrawCreate(),
  kucoin: (x) => x.privatePostWithdrawals({ version: 'v3' }),
};

const DO = {
  time: async (x) => x.fetchTime(),
  tickers: async (x, { exchange }) => {
    const tickers = await (exchange === 'bybit' ? x.fetchTickers(undefined, { type: 'spot' }) : x.fetchTickers());
    return Object.fromEntries(Object.values(tickers).map(({ symbol, last }) => [symbol, last]));
  },
  balance: async (x, { exchange, wallet }) => WALLETS[exchange][wallet](x),
  withdraw: async (x, { exchange }) => WITHDRAW[exchange](x),
};

/** The error's class and those above it, so that a judge can ask for a family. */
function failure(error) {
  const classes = [];
  for (let at = error; at?.constructor?.name && at !== Object.prototype; at = Object.getPrototypeOf(at)) classes.push(at.constructor.name);
  return { classes: [...new Set(classes)], message: String(error.message).slice(0, 300) };
}

const results = [];
for (const job of jobs) {
  try {
    const x = await client(job.exchange, job.credentials ?? {});
    x.timeout = job.timeout ?? TIMEOUT;
    results.push({ ok: await DO[job.do](x, job) });
  } catch (error) {
    results.push({ error: failure(error) });
  }
}
process.stdout.write(JSON.stringify(results), () => process.exit(0));
