// Solana's virtual machine with its own programs, behind JSON-RPC on loopback. It checks signatures and block hashes.
// usage: node svm.mjs PORT
import { createServer } from "node:http";
import { address, getBase64Decoder, getBase64Encoder, getTransactionDecoder, lamports } from "@solana/kit";
import { FailedTransactionMetadata, LiteSVM } from "litesvm";

const svm = new LiteSVM();
const bytes = (text) => getBase64Encoder().encode(text);

const methods = {
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
    const result = svm.sendTransaction(getTransactionDecoder().decode(bytes(text)));
    if (result instanceof FailedTransactionMetadata) throw new Error(result.toString());
    return "sent";
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
