// Writes what both sides of the connector bench read, for each of the six exchanges: EXCHANGE.credential.json and
// EXCHANGE.balance.json, an answer of 500 assets in the exchange's documented form with all its members.
//
//   node inputs.mjs FOLDER
import { generateKeyPairSync } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const ASSETS = 500;

/** Deterministic digits: `places` decimals, of another length for each asset. */
const amount = (index, places, factor) => {
  const units = ((index * 7919 + 13) * factor) % 10 ** (places + 4);
  const digits = String(units).padStart(places + 1, '0');
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`;
};

/** Three to six letters and digits, all different: C0 to CDV with a tail. */
const code = (index) => `${'ABCDEFGHJK'[index % 10]}${index.toString(36).toUpperCase().padStart(2, '0')}${'XYZQ'.slice(0, index % 4)}`;

const uuid = (index) => `5c6a4fd3-99a1-4d81-8c4f-${String(index).padStart(12, '0')}`;

const row = {
  kraken: (i) => [code(i), { balance: amount(i, 10, 31), hold_trade: amount(i, 10, 3) }],
  binance: (i) => ({ asset: code(i), free: amount(i, 8, 31), locked: amount(i, 8, 3) }),
  coinbase: (i) => ({
    uuid: uuid(i), name: `${code(i)} Wallet`, currency: code(i),
    available_balance: { value: amount(i, 16, 31), currency: code(i) },
    default: true, active: true, created_at: '2024-03-21T00:24:47.123Z', updated_at: '2025-04-10T22:01:12.456Z', deleted_at: null,
    type: 'ACCOUNT_TYPE_CRYPTO', ready: true, hold: { value: amount(i, 16, 3), currency: code(i) },
    retail_portfolio_id: uuid(ASSETS), platform: 'ACCOUNT_PLATFORM_CONSUMER',
  }),
  okx: (i) => ({
    accAvgPx: '', availBal: amount(i, 12, 31), availEq: amount(i, 12, 31), borrowFroz: '0', cashBal: amount(i, 12, 34), ccy: code(i),
    clSpotInUseAmt: '', colBorrAutoConversion: '0', collateralEnabled: false, collateralRestrict: false, crossLiab: '0',
    disEq: amount(i, 10, 29), eq: amount(i, 12, 34), eqUsd: amount(i, 12, 27), fixedBal: '0', frozenBal: amount(i, 12, 3), imr: '', interest: '0',
    isoEq: '0', isoLiab: '0', isoUpl: '0', liab: '0', maxLoan: amount(i, 12, 11), maxSpotInUse: '', mgnRatio: '', mmr: '', notionalLever: '',
    openAvgPx: '', ordFrozen: amount(i, 12, 3), rewardBal: '', smtSyncEq: '0', spotBal: '', spotCopyTradingEq: '0', spotInUseAmt: '', spotIsoBal: '0',
    spotUpl: '', spotUplRatio: '', stgyEq: '0', totalPnl: '', totalPnlRatio: '', twap: '0', uTime: String(1700000000000 + i), upl: '0', uplLiab: '0',
  }),
  bybit: (i) => ({
    availableToBorrow: '', bonus: '0', accruedInterest: '0', availableToWithdraw: '', totalOrderIM: '0', equity: amount(i, 8, 31),
    totalPositionMM: '0', usdValue: amount(i, 8, 27), unrealisedPnl: '0', collateralSwitch: true, spotHedgingQty: '0',
    borrowAmount: '0.000000000000000000', totalPositionIM: '0', walletBalance: amount(i, 8, 31), cumRealisedPnl: amount(i, 8, 5),
    locked: amount(i, 8, 3), marginCollateral: true, coin: code(i),
  }),
  kucoin: (i) => ({ id: uuid(i).replaceAll('-', ''), currency: code(i), type: 'trade', balance: amount(i, 10, 34), available: amount(i, 10, 31), holds: amount(i, 10, 3) }),
};

const rows = (exchange) => Array.from({ length: ASSETS }, (_, index) => row[exchange](index));

const ANSWERS = {
  kraken: () => ({ error: [], result: Object.fromEntries(rows('kraken')) }),
  binance: () => ({
    makerCommission: 10, takerCommission: 10, buyerCommission: 0, sellerCommission: 0,
    commissionRates: { maker: '0.00100000', taker: '0.00100000', buyer: '0.00000000', seller: '0.00000000' },
    canTrade: true, canWithdraw: true, canDeposit: true, brokered: false, requireSelfTradePrevention: false, preventSor: false,
    updateTime: 1701856395927, accountType: 'SPOT', balances: rows('binance'), permissions: ['SPOT'], uid: 354937868,
  }),
  coinbase: () => ({ accounts: rows('coinbase'), has_next: false, cursor: '', size: ASSETS }),
  okx: () => ({
    code: '0', msg: '',
    data: [{
      adjEq: '152648.60323464675', availEq: '151181.075297336', borrowFroz: '88.21541475407129', details: rows('okx'), imr: '1467.5', isoEq: '0', mgnRatio: '1284.9',
      mmr: '118.8', notionalUsd: '1467.5', ordFroz: '0', totalEq: '203127.24', uTime: '1700000000000', upl: '0',
    }],
  }),
  bybit: () => ({
    retCode: 0, retMsg: 'OK',
    result: {
      list: [{
        totalEquity: '92255.96988644', accountIMRate: '0.0006', totalMarginBalance: '90042.2788482', totalInitialMargin: '54.3100333', accountType: 'UNIFIED',
        totalAvailableBalance: '89987.9688149', accountMMRate: '0', totalPerpUPL: '-21.66812467', totalWalletBalance: '90060.46626531', accountLTV: '0',
        totalMaintenanceMargin: '7.38826721', coin: rows('bybit'),
      }],
    },
    retExtInfo: {}, time: 1700000000000,
  }),
  kucoin: () => ({ code: '200000', data: rows('kucoin') }),
};

const bytes = (length, seed) => Buffer.from(Array.from({ length }, (_, i) => (i * 31 + seed) % 256));

const CREDENTIALS = {
  kraken: () => ({ apiKey: 'K'.repeat(56), secret: bytes(64, 7).toString('base64') }),
  binance: () => ({ apiKey: 'B'.repeat(64), secret: 'b'.repeat(64) }),
  coinbase: () => ({
    apiKey: `organizations/${uuid(1)}/apiKeys/${uuid(2)}`,
    secret: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'sec1', format: 'pem' }),
  }),
  okx: () => ({ apiKey: uuid(3), secret: 'D'.repeat(32), password: 'a passphrase' }),
  bybit: () => ({ apiKey: 'b'.repeat(18), secret: 'B'.repeat(36) }),
  kucoin: () => ({ apiKey: '5'.repeat(24), secret: uuid(4), password: 'a passphrase' }),
};

const folder = process.argv[2];
fs.mkdirSync(folder, { recursive: true });
for (const [exchange, credential] of Object.entries(CREDENTIALS)) {
  fs.writeFileSync(path.join(folder, `${exchange}.credential.json`), JSON.stringify(credential()));
  fs.writeFileSync(path.join(folder, `${exchange}.balance.json`), JSON.stringify(ANSWERS[exchange]()));
}
