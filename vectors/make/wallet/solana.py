#!/usr/bin/env python3
"""Known answers for Solana messages, with solders (the Rust crates of Solana's own clients).

usage: solana.py > vectors/wallet/solana.json
"""
import hashlib
import json
import sys

from bip_utils import Bip32Slip10Ed25519, Bip39SeedGenerator
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message, MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.token.associated import get_associated_token_address
from solders.transaction import VersionedTransaction

PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"
PATH = "m/44h/501h/0h/0h"
KEY = Keypair.from_seed(Bip32Slip10Ed25519.FromSeedAndPath(Bip39SeedGenerator(PHRASE).Generate(""), PATH).PrivateKey().Raw().ToBytes())
ME = KEY.pubkey()
TOKEN = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022 = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
ASSOCIATED = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
SYSTEM = Pubkey.default()
MEMO = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
MINT = Pubkey.from_string("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v")
CHAIN = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"
RENT, FEE = 2_039_280, 5000
BLOCK = Hash(hashlib.sha256(b"block").digest())


def other(n):
    return Keypair.from_seed(hashlib.sha256(b"solana %d" % n).digest()).pubkey()


def pay(to, amount, sender=ME):
    return transfer(TransferParams(from_pubkey=sender, to_pubkey=to, lamports=amount))


def meta(key, signs=False, writes=False):
    return AccountMeta(key, signs, writes)


def tokens(to, amount, mint=MINT, owner=ME, source=None, program=TOKEN, decimals=6, kind=12):
    source = source or get_associated_token_address(owner, mint)
    data = bytes([kind]) + amount.to_bytes(8, "little") + bytes([decimals])
    return Instruction(program, data, [meta(source, writes=True), meta(mint), meta(to, writes=True), meta(owner, signs=owner == ME)])


def create(wallet, mint=MINT, payer=ME, account=None, data=b"\x01"):
    account = account or get_associated_token_address(wallet, mint)
    return Instruction(ASSOCIATED, data, [meta(payer, True, True), meta(account, writes=True), meta(wallet), meta(mint), meta(SYSTEM), meta(TOKEN)])


def message(instructions, version_0=False, payer=ME):
    if version_0:
        return MessageV0.try_compile(payer, instructions, [], BLOCK)
    return Message.new_with_blockhash(instructions, payer, BLOCK)


def case(what, instructions, to, asset, amount, max_fee, version_0=False):
    built = message(instructions, version_0)
    return {"what": what, "message": to_bytes_versioned(built).hex(), "signed": bytes(VersionedTransaction(built, [KEY])).hex(),
            "to": str(to), "asset": asset, "amount": str(amount), "max_fee": str(max_fee)}


def never(what, instructions, to=other(1), payer=ME):
    return {"what": what, "message": to_bytes_versioned(message(instructions, payer=payer)).hex(), "to": str(to)}


def raw(signers, read_only_signers, read_only_others, accounts, instructions, prefix=b"", tail=b""):
    body = bytes([signers, read_only_signers, read_only_others, len(accounts)]) + b"".join(bytes(a) for a in accounts) + bytes(BLOCK)
    body += bytes([len(instructions)]) + b"".join(bytes([p, len(a)]) + bytes(a) + bytes([len(d)]) + d for p, a, d in instructions)
    return (prefix + body + tail).hex()


def refused(what, *arguments, **named):
    return {"what": what, "message": raw(*arguments, **named)}


coin, token = f"{CHAIN}/slip44:501", f"{CHAIN}/token:{MINT}"
to, theirs = other(1), get_associated_token_address(other(1), MINT)
limit, price = set_compute_unit_limit(100_000), set_compute_unit_price(25_001)
priority = (100_000 * 25_001 + 999_999) // 1_000_000
one = (2, [0, 1], (2).to_bytes(4, "little") + (5).to_bytes(8, "little"))
accounts = [ME, to, SYSTEM]

json.dump({
    "phrase": PHRASE,
    "path": PATH,
    "transfers": [
        case("coin", [pay(to, 1)], to, coin, 1, FEE),
        case("coin in version 0", [pay(to, 2**64 - 1)], to, coin, 2**64 - 1, FEE, True),
        case("coin with a priority", [limit, price, pay(to, 10**9)], to, coin, 10**9, FEE + priority),
        case("coin with a limit alone", [limit, pay(to, 10**9)], to, coin, 10**9, FEE),
        case("tokens", [tokens(theirs, 2_500_000)], to, token, 2_500_000, FEE),
        case("tokens in version 0 with a priority", [price, limit, tokens(theirs, 7)], to, token, 7, FEE + priority, True),
        case("tokens to an account that is made", [create(to), tokens(theirs, 7)], to, token, 7, FEE + RENT),
        case("tokens to a token account by its own name", [tokens(other(5), 7)], other(5), token, 7, FEE),
    ],
    "never_signed": [
        never("nothing", []),
        never("two payments", [pay(to, 1), pay(to, 1)]),
        never("two payments of two kinds", [pay(to, 1), tokens(theirs, 1)]),
        never("a payment and a memo", [pay(to, 1), Instruction(MEMO, b"hi", [])]),
        never("a price without a limit", [price, pay(to, 1)]),
        never("two prices", [limit, price, set_compute_unit_price(1), pay(to, 1)]),
        never("two limits", [limit, set_compute_unit_limit(1), pay(to, 1)]),
        never("another payer", [pay(to, 1)], payer=other(2)),
        never("another's coins", [pay(to, 1, other(2))]),
        never("another's tokens", [tokens(theirs, 1, owner=other(2))]),
        never("tokens from an account that is not the usual one", [tokens(theirs, 1, source=other(3))]),
        never("tokens of the newer program", [tokens(theirs, 1, program=TOKEN_2022)]),
        never("a transfer that names no mint", [tokens(theirs, 1, kind=3)]),
        never("an approval", [tokens(theirs, 1, kind=13)]),
        never("an account made that nothing is sent to", [create(other(4)), tokens(theirs, 1)]),
        never("an account made beside a payment of coins", [create(to), pay(to, 1)]),
        never("an account made at another place", [create(to, account=other(4)), tokens(other(4), 1)]),
        never("an account made that may be there", [create(to, data=b"\x00"), tokens(theirs, 1)]),
        never("two accounts made", [create(to), create(to), tokens(theirs, 1)]),
        never("a data byte more", [Instruction(SYSTEM, bytes(pay(to, 1).data) + b"\x00", pay(to, 1).accounts)]),
        never("an account more", [Instruction(SYSTEM, bytes(pay(to, 1).data), pay(to, 1).accounts + [meta(other(2))])]),
    ],
    "refused": [
        refused("no signer", 0, 0, 1, accounts, [one]),
        refused("a payer that is not written to", 1, 1, 1, accounts, [one]),
        refused("more signers than accounts", 4, 0, 0, accounts, [one]),
        refused("more read-only accounts than accounts", 1, 0, 3, accounts, [one]),
        refused("an account twice", 1, 0, 1, [ME, to, SYSTEM, to], [one]),
        refused("a program that is not there", 1, 0, 1, accounts, [(3, [0, 1], one[2])]),
        refused("a payer that is the program", 1, 0, 1, accounts, [(0, [0, 1], one[2])]),
        refused("an account's place that is not there", 1, 0, 1, accounts, [(2, [0, 3], one[2])]),
        refused("version 1", 1, 0, 1, accounts, [one], prefix=b"\x81", tail=b"\x00"),
        refused("version 0 without its tables", 1, 0, 1, accounts, [one], prefix=b"\x80"),
        refused("version 0 with a table", 1, 0, 1, accounts, [one], prefix=b"\x80", tail=b"\x01" + bytes(32) + b"\x01\x00\x00"),
        refused("the first form with tables", 1, 0, 1, accounts, [one], tail=b"\x00"),
    ],
    "token_accounts": [{"wallet": str(other(n)), "mint": str(mint), "account": str(get_associated_token_address(other(n), mint))}
                       for n in range(8) for mint in (MINT, other(50))],
    "points": [{"bytes": data.hex(), "address": str(Pubkey(data)), "is_on_curve": str(Pubkey(data).is_on_curve()).lower()}
               for data in [hashlib.sha256(b"point %d" % n).digest() for n in range(40)]
               + [bytes(32), bytes([1]) + bytes(31), bytes(31) + b"\x80", bytes([1]) + bytes(30) + b"\x80", b"\xff" * 32,
                  b"\xed" + b"\xff" * 30 + b"\x7f", b"\xec" + b"\xff" * 30 + b"\x7f", b"\xee" + b"\xff" * 30 + b"\x7f", b"\xee" + b"\xff" * 31]],
}, sys.stdout, indent=1)
print()
