// Compiles token.sol; writes its code for deployment, in hexadecimal, to token.hex.
import { readFileSync, writeFileSync } from "node:fs";
import solc from "solc";

const input = {
  language: "Solidity",
  sources: { "token.sol": { content: readFileSync("token.sol", "utf8") } },
  settings: { optimizer: { enabled: true }, evmVersion: "paris", outputSelection: { "*": { "*": ["evm.bytecode.object"] } } },
};
const output = JSON.parse(solc.compile(JSON.stringify(input)));
const errors = (output.errors ?? []).filter((error) => error.severity === "error");
if (errors.length) throw new Error(errors.map((error) => error.formattedMessage).join("\n"));
writeFileSync("token.hex", output.contracts["token.sol"].Token.evm.bytecode.object);
