#!/usr/bin/env python3
"""Known answers for Ethereum transactions, signed texts and structures, with eth-account.

usage: evm.py > vectors/wallet/evm.json
"""
import hashlib
import json
import sys

import rlp
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from eth_account.typed_transactions import TypedTransaction
from eth_keys import keys
from eth_utils import keccak

TOKEN = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
COINS = {1: 60, 137: 966, 31337: 1}


def secret(n):
    return hashlib.sha256(b"evm %d" % n).digest()


def transaction(n, chain, to, value, data, gas, asset, recipient, amount):
    fields = {"type": 2, "chainId": chain, "nonce": n * 77, "maxPriorityFeePerGas": 10**9 + n, "maxFeePerGas": 30 * 10**9 + n,
              "gas": gas, "to": to, "value": value, "data": data}
    account = Account.from_key(secret(n))
    signed = account.sign_transaction(fields)
    numbers = [chain, fields["nonce"], fields["maxPriorityFeePerGas"], fields["maxFeePerGas"], gas]
    unsigned = b"\x02" + rlp.encode(numbers + [bytes.fromhex(to[2:]), value, bytes.fromhex(data[2:]), []])
    assert TypedTransaction.from_dict(fields | {"accessList": []}).hash() == keccak(unsigned)
    return {"key": secret(n).hex(), "sender": account.address, "unsigned": unsigned.hex(), "signing_hash": keccak(unsigned).hex(),
            "signed": signed.raw_transaction.hex(), "hash": signed.hash.hex(), "chain": f"eip155:{chain}", "to": recipient,
            "asset": asset, "amount": str(amount), "max_fee": str(gas * fields["maxFeePerGas"]), "nonce": fields["nonce"]}


def coin(n, chain, value):
    to = Account.from_key(secret(100 + n)).address
    return transaction(n, chain, to, value, "0x", 21000, f"eip155:{chain}/slip44:{COINS[chain]}", to, value)


def token(n, chain, amount):
    to = Account.from_key(secret(100 + n)).address
    data = "0xa9059cbb" + to[2:].lower().rjust(64, "0") + amount.to_bytes(32, "big").hex()
    return transaction(n, chain, TOKEN, 0, data, 65000, f"eip155:{chain}/erc20:{TOKEN.lower()}", to, amount)


def refused(what, body, kind=b"\x02"):
    return {"what": what, "unsigned": (kind + rlp.encode(body)).hex()}


def message(n, text):
    signed = Account.sign_message(encode_defunct(text), secret(n))
    hashed = keccak(b"\x19Ethereum Signed Message:\n" + str(len(text)).encode() + text)
    assert hashed == bytes(signed.message_hash)
    return {"key": secret(n).hex(), "message": text.hex(), "hash": hashed.hex(), "signature": signed.signature.hex()}


def typed(name, wallets, amount):
    document = {
        "types": {
            "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "version", "type": "string"},
                             {"name": "chainId", "type": "uint256"}, {"name": "verifyingContract", "type": "address"}],
            "Person": [{"name": "name", "type": "string"}, {"name": "wallets", "type": "address[]"}],
            "Mail": [{"name": "from", "type": "Person"}, {"name": "contents", "type": "string"}, {"name": "attachment", "type": "bytes"},
                     {"name": "tag", "type": "bytes4"}, {"name": "amount", "type": "uint256"}]},
        "primaryType": "Mail",
        "domain": {"name": "Ether Mail", "version": "1", "chainId": 1, "verifyingContract": TOKEN},
        "message": {"from": {"name": name, "wallets": wallets}, "contents": "Grüße", "attachment": b"\x00\xff", "tag": b"\x01\x02\x03\x04",
                    "amount": amount}}
    signable = encode_typed_data(full_message=document)
    return {"domain_name": "Ether Mail", "version": "1", "chain_id": 1, "verifying_contract": TOKEN,
            "from": {"name": name, "wallets": [{"address": wallet} for wallet in wallets]}, "contents": "Grüße", "attachment": "00ff",
            "tag": "01020304", "amount": str(amount), "separator": signable.header.hex(),
            "hash": keccak(b"\x19" + signable.version + signable.header + signable.body).hex()}


fields = [1, 0, 1, 2, 21000, bytes(20), 0, b""]
people = [Account.from_key(secret(n)).address for n in (7, 8)]
json.dump({
    "transactions": [coin(0, 1, 10**18), coin(1, 137, 0), coin(2, 31337, 2**255), token(3, 1, 2_500_000), token(4, 31337, 2**256 - 1), token(5, 1, 0)],
    "refused": [
        refused("a legacy transaction", [0, 1, 21000, bytes(20), 0, b"", 1, 0, 0], b""),
        refused("an access list transaction", [1, 0, 1, 21000, bytes(20), 0, b"", []], b"\x01"),
        refused("an entry in the access list", fields + [[[bytes(20), []]]]),
        refused("the creation of a contract", fields[:5] + [b"", 0, b"\x00", []]),
        refused("a field too few", fields),
        refused("a field too many", fields + [[], b""]),
        refused("a text in the access list's place", fields + [b""]),
        refused("a chain of 65 bits", [2**64] + fields[1:] + [[]]),
        refused("a fee of 129 bits", fields[:3] + [2**128] + fields[4:] + [[]]),
        refused("a value of 257 bits", fields[:6] + [2**256, b"", []]),
        refused("a zero before the nonce", [1, b"\x00\x01"] + fields[2:] + [[]]),
        refused("an address of 21 bytes", fields[:5] + [bytes(21), 0, b"", []]),
        refused("a blob transaction", fields + [[], 1, []], b"\x03"),
    ],
    "messages": [message(0, b""), message(1, b"hello"), message(2, "Grüße".encode()), message(3, bytes(300))],
    "typed": [typed("Cow", people, 5), typed("", people[:1], 2**256 - 1)],
}, sys.stdout, indent=1)
print()
