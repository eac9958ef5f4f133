#!/usr/bin/env python3
"""Known answers for Keccak-256, ECDSA over secp256k1 and Ethereum addresses.

usage: secp256k1.py > vectors/wallet/secp256k1.json

Keccak is PyCryptodome's; keys, signatures (RFC 6979, low s) and addresses are eth-keys' own Python code (its
"native" backend), which shares nothing with libsecp256k1.
"""
import hashlib
import json
import sys

from Crypto.Hash import keccak
from eth_keys import KeyAPI
from eth_keys.backends import NativeECCBackend

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
keys = KeyAPI(NativeECCBackend())


def digest(data):
    return keccak.new(digest_bits=256, data=data).digest()


def signature(secret, prehash):
    key = keys.PrivateKey(secret)
    signed = key.sign_msg_hash(prehash)
    assert signed.recover_public_key_from_msg_hash(prehash) == key.public_key
    return {
        "key": secret.hex(),
        "public": key.public_key.to_compressed_bytes().hex(),
        "address": key.public_key.to_checksum_address(),
        "prehash": prehash.hex(),
        "signature": (signed.r.to_bytes(32, "big") + signed.s.to_bytes(32, "big")).hex(),
        "recovery": signed.v,
    }


inputs = [b"", b"abc", bytes(135), bytes(136), bytes(137), bytes(range(256)) * 3]
secrets = [(1).to_bytes(32, "big"), (ORDER - 1).to_bytes(32, "big")]
secrets += [hashlib.sha256(b"key %d" % n).digest() for n in range(10)]
hashes = [digest(b""), digest(b"a message"), bytes([255] * 32)]
json.dump({
    "keccak256": [{"input": data.hex(), "digest": digest(data).hex()} for data in inputs],
    "signatures": [signature(s, h) for s in secrets for h in hashes],
}, sys.stdout, indent=1)
print()
