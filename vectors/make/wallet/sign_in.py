#!/usr/bin/env python3
"""Known answers for signing in: texts by siwe where there is a library for them, signatures by eth-account and solders.

usage: sign_in.py > vectors/wallet/sign-in.json
"""
import hashlib
import json
import sys

from eth_account import Account
from eth_account.messages import encode_defunct
from siwe import SiweMessage
from solders.keypair import Keypair

PARTS = {"domain": "example.org:8443", "statement": "Connect this wallet, to be watched.", "uri": "https://example.org/link",
         "nonce": "32891756Ab", "issued": "2026-01-01T00:00:00Z", "expires": "2026-01-01T00:05:00Z"}

# As the enclave writes them (docs/spec/wallet.md 2.1).
OURS = {"domain": "tensfer.localhost",
        "statement": "I link this address to my Tensfer account as mine. This moves nothing and allows nobody to.",
        "uri": "tensfer:conn_07070707070707070707070707070707", "nonce": "abababababababababababababababab",
        "issued": "2026-11-22T00:00:00.000Z", "expires": "2026-11-22T00:10:00.000Z"}


def ethereum(n, chain, parts=PARTS):
    account = Account.from_key(hashlib.sha256(b"sign in %d" % n).digest())
    text = SiweMessage(domain=parts["domain"], address=account.address, statement=parts["statement"], uri=parts["uri"], version="1",
                       chain_id=chain, nonce=parts["nonce"], issued_at=parts["issued"], expiration_time=parts["expires"]).prepare_message()
    signature = Account.sign_message(encode_defunct(text.encode()), account.key).signature
    return parts | {"address": account.address, "chain": f"eip155:{chain}", "text": text, "signature": signature.hex()}


def solana(n):
    key, reference = Keypair.from_seed(hashlib.sha256(b"sign in %d" % n).digest()), "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"
    text = (f"{PARTS['domain']} wants you to sign in with your Solana account:\n{key.pubkey()}\n\n{PARTS['statement']}\n\nURI: {PARTS['uri']}\n"
            f"Version: 1\nChain ID: {reference}\nNonce: {PARTS['nonce']}\nIssued At: {PARTS['issued']}\nExpiration Time: {PARTS['expires']}")
    return PARTS | {"address": str(key.pubkey()), "chain": f"solana:{reference}", "text": text, "signature": bytes(key.sign_message(text.encode())).hex()}


json.dump({"cases": [ethereum(0, 1), ethereum(1, 8453), solana(2), ethereum(3, 1, OURS)]}, sys.stdout, indent=1)
print()
