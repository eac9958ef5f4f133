// Solana's virtual machine with its own programs, behind JSON-RPC on loopback. It checks signatures and block hashes.
// The machine has no blocks and no history: heights are counted here, and what it took is kept here.
// usage: node svm.mjs PORT
import { createServer } from "node:http";
import { address, getBase58Decoder, getBase64Decoder, getBase64Encoder, getTransactionDecoder, lamports } from "@solana/kit";
import { FailedTransactionMetadata, LiteSVM } from "litesvm";

const svm = new LiteSVM();
const bytes = (text) => getBase64Encoder().encode(text);

/// Of a development chain.
const GENESIS = "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG";
const BLOCKS = 150;
let height = 1000;
let commitment = "confirmed";
const taken = [];

const account = (of) => {
  const found = svm.getAccount(address(of));
  if (!found?.exists) return null;
  return { lamports: Number(found.lamports), owner: found.programAddress, data: [getBase64Decoder().decode(found.data), "base64"], executable: false, rentEpoch: 0 };
};
const status = (entry) => ({ signature: entry.signature, slot: entry.slot, err: entry.err, confirmationStatus: commitment });

const methods = {
  getGenesisHash: () => GENESIS,
  getBlockHeight: () => height,
  getLatestBlockhash: () => ({ context: { slot: height }, value: { blockhash: svm.latestBlockhash(), lastValidBlockHeight: height + BLOCKS } }),
  getMultipleAccounts: (list) => ({ context: { slot: height }, value: list.map(account) }),
  getRecentPrioritizationFees: () => [0, 1000, 25000, 400000].map((prioritizationFee, at) => ({ slot: height - at, prioritizationFee })),
  getSignatureStatuses: ([signature]) => {
    const entry = taken.find((known) => known.signature === signature);
    return { context: { slot: height }, value: [entry ? status(entry) : null] };
  },
  getSignaturesForAddress: () => taken.map(status).reverse(),
  // Not of Solana's: blocks pass, and block hashes with them; what is in a block stays there.
  pass(blocks) {
    height += blocks;
    if (blocks > BLOCKS) svm.expireBlockhash();
  },
  finalize: () => void (commitment = "finalized"),
  latestBlockhash: () => svm.latestBlockhash(),
  airdrop: (to, amount) => void svm.airdrop(address(to), lamports(BigInt(amount))),
  getBalance: (of) => String(svm.getBalance(address(of)) ?? 0n),
  getData(of) {
    const account = svm.getAccount(address(of));
    return account?.exists ? getBase64Decoder().decode(account.data) : null;
  },
  setData(at, program, data) {
    const space = BigInt(bytes(data).length);
    const rent = svm.minimumBalanceForRentExemption(space);
    const account = { address: address(at), programAddress: address(program), data: bytes(data), lamports: lamports(rent), executable: false, space };
    svm.setAccount(account);
  },
  rent: (space) => String(svm.minimumBalanceForRentExemption(BigInt(space))),
  sendTransaction(text) {
    const transaction = getTransactionDecoder().decode(bytes(text));
    const result = svm.sendTransaction(transaction);
    if (result instanceof FailedTransactionMetadata) throw new Error(result.toString());
    const signature = getBase58Decoder().decode(Object.values(transaction.signatures)[0]);
    taken.push({ signature, slot: height, err: null });
    return signature;
  },
};

createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  const { id, method, params } = JSON.parse(body);
  let answer;
  try {
    answer = { jsonrpc: "2.0", id, result: methods[method](...params) ?? null };
  } catch (error) {
    answer = { jsonrpc: "2.0", id, error: { code: -32000, message: String(error.message ?? error) } };
  }
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(answer));
}).listen(Number(process.argv[2]), "127.0.0.1");
