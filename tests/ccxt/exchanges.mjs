// CPU time of the npm package ccxt for what connectors do, of every exchange; one JSON object.
//
//   node exchanges.mjs run VECTORS FOLDER     FOLDER/EXCHANGE.json as `exchange_bench write` left them
//   node --expose-gc exchanges.mjs load ID…   resident memory that the package with these exchanges takes, KiB
//
// sign: `exchange.sign()` of the recorded call, with the recorded clock and made-up key. parse: what `bench.mjs` says.
// An exchange whose ccxt does not build the recorded request, or does not read the same answer by one call to as many
// rows, is left out, with the reason.
import fs from 'node:fs';
import path from 'node:path';
import { createPrivateKey } from 'node:crypto';

const AT = 1_700_000_000_123;
const ROUNDS = 3;
const ROUND_NS = 15_000_000;
const WARM_NS = 100_000_000;

const cpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
};

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Microseconds of one call: the median over the rounds of the mean of a round. `times` makes that many calls. */
async function micros(times) {
  let count = 0;
  const begun = cpu();
  for (; cpu() - begun < WARM_NS; count += 8) await times(8);
  const calls = Math.max(1, Math.round((count * ROUND_NS) / WARM_NS));
  const rounds = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = cpu();
    await times(calls);
    rounds.push((cpu() - start) / calls / 1000);
  }
  return median(rounds);
}

/** Repeats a call that gives a promise, or one that does not. */
const waiting = (work) => async (count) => {
  for (let call = 0; call < count; call += 1) await work();
};
const plainly = (work) => (count) => {
  for (let call = 0; call < count; call += 1) work();
};

/** How an exchange is asked with one call, where the recording does not say. */
const OPTIONS = { bybit: { enableUnifiedMargin: false, enableUnifiedAccount: true } };

const pem = (der) => `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----`;

/** The secrets that a recording of this variant may have been made with. */
function secrets(variant, given, keys) {
  const der = (name) => keys[name].pkcs8_der_base64;
  if (variant === 'rsa') return [pem(der('rsa'))];
  if (variant === 'es256-jwt') return [createPrivateKey(pem(der('ec'))).export({ type: 'sec1', format: 'pem' })];
  if (variant !== 'ed25519') return [given];
  const seed = Buffer.alloc(32, 7);
  const before = Buffer.from('302e020100300506032b657004220420', 'hex');
  return [pem(der('ed')), seed.toString('base64'), 'ed25519:' + base58(seed), base58(seed), pem(Buffer.concat([before, seed]).toString('base64')), given];
}

function base58(bytes) {
  const digits = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
  let number = BigInt('0x' + bytes.toString('hex'));
  let text = '';
  for (; number > 0n; number /= 58n) text = digits[Number(number % 58n)] + text;
  return text;
}

function client(ccxt, id, credentials) {
  const made = new ccxt[id]({ ...credentials, enableRateLimit: false });
  made.milliseconds = () => AT;
  made.seconds = () => Math.floor(AT / 1000);
  made.microseconds = () => AT * 1000;
  return made;
}

/** A client that signs as recorded, or nothing. */
function signer(ccxt, id, credentials, keys, { variant, path: endpoint, api, method, params, result }) {
  const names = (headers) => Object.keys(headers ?? {}).map((name) => name.toLowerCase()).sort().join();
  // An exchange may want key ids of a form that the recording's general one has not.
  const sent = Object.entries(result.headers ?? {}).find(([name]) => name.toLowerCase().endsWith('-apikey'));
  const apiKey = sent?.[1] ?? credentials.apiKey;
  for (const secret of secrets(variant, credentials.secret, keys)) {
    try {
      const made = client(ccxt, id, { ...credentials, apiKey, secret });
      const work = () => made.sign(endpoint, api, method, { ...params });
      const ours = work();
      const same = ours.url.split('?')[0] === result.url.split('?')[0] && ours.method === result.method;
      if (same && names(ours.headers) === names(result.headers)) return work;
    } catch {
      // The next secret.
    }
  }
  return undefined;
}

/** A client whose every request is answered with `text`, and which counts them. */
function answered(ccxt, id, credentials, markets, { text, options, names, method }) {
  const made = client(ccxt, id, credentials);
  for (const some of [...options, OPTIONS[id]]) Object.assign(made.options, some);
  made.asked = 0;
  made.sign = () => ({ url: 'https://x.example/', method: 'GET', body: undefined, headers: {} });
  made.fetch = (url, verb, headers, body) => {
    made.asked += 1;
    return made.handleRestResponse({ status: 200, statusText: 'OK', headers: { 'content-type': 'application/json' }, text: async () => text }, url, verb, headers, body);
  };
  const market = (name) => {
    const base = method === 'fetchBalance' ? name.toUpperCase() : name.slice(0, 4);
    const id = method === 'fetchBalance' ? `${name}USDT` : name;
    return { ...made.safeMarketStructure(), id, symbol: `${base}/USDT`, base, quote: 'USDT', baseId: base, quoteId: 'USDT', type: 'spot', spot: true, active: true };
  };
  const recorded = Object.values(markets ?? {}).map((market) => ({ ...made.safeMarketStructure(), ...market }));
  made.setMarkets([...recorded, ...names.map(market)]);
  return made;
}

async function parsed(ccxt, id, credentials, markets, parse) {
  const made = answered(ccxt, id, credentials, markets, parse);
  const work = () => made[parse.method](...parse.input);
  const result = await work();
  if (made.asked !== 1) throw new Error(`${made.asked} calls`);
  const read = parse.method === 'fetchBalance' ? Object.keys(result.total).length : parse.method === 'fetchTickers' ? Object.keys(result).length : 1;
  const wanted = Math.min(parse.names.length, 100);
  if (read < wanted) throw new Error(`${read} rows of ${wanted}`);
  return micros(waiting(work));
}

async function run(vectors, folder) {
  const { default: ccxt } = await import('ccxt');
  const keys = JSON.parse(fs.readFileSync(path.join(vectors, 'exchanges/testkeys.json')));
  const exchanges = {};
  const left = {};
  for (const file of fs.readdirSync(folder).sort()) {
    const input = JSON.parse(fs.readFileSync(path.join(folder, file)));
    const found = (exchanges[input.id] = {});
    const credentials = input.credentials ?? { apiKey: 'key', secret: 'c2VjcmV0' };
    for (const name of ['sign', 'sign_body']) {
      if (!input[name]) continue;
      const work = signer(ccxt, input.id, credentials, keys, input[name]);
      if (work) found[name] = await micros(plainly(work));
      else left[`${input.id} ${name}`] = 'signs otherwise than recorded';
    }
    if (!input.parse) continue;
    try {
      const file = path.join(vectors, `exchanges/markets/${input.id}.json`);
      const markets = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file)) : undefined;
      found.parse = await parsed(ccxt, input.id, credentials, markets, input.parse);
    } catch (error) {
      left[`${input.id} parse`] = String(error.message).slice(0, 80);
    }
  }
  const { version } = JSON.parse(fs.readFileSync(new URL('./node_modules/ccxt/package.json', import.meta.url)));
  return { version, node: process.version, exchanges, left };
}

async function load(ids) {
  const resident = () => {
    globalThis.gc();
    return Math.round(process.memoryUsage.rss() / 1024);
  };
  const before = resident();
  const { default: ccxt } = await import('ccxt');
  const imported = resident();
  const kept = ids.filter((id) => ccxt[id]).map((id) => new ccxt[id]({}));
  return { exchanges: kept.length, kib: resident() - before, import_kib: imported - before };
}

const [what, ...words] = process.argv.slice(2);
console.log(JSON.stringify(what === 'load' ? await load(words) : await run(...words)));
