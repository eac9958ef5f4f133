#!/usr/bin/env python3
"""Known answers for holders' key files that a token's key locks. Shares no code with the implementation; written from
docs/spec/client.md section 2.

usage: key_file.py > vectors/key-file.json

Only the Python standard library and PyPI `cryptography` (vectors/make/requirements.txt). Everything is fixed, so every run gives
the same file. The token is a private key here.
"""
import base64
import hashlib
import hmac
import json
import sys

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from protocol import P256, transcript


def b64(data):
    return base64.b64encode(data).decode()


def hkdf(shared, info):
    prk = hmac.new(bytes(32), shared, hashlib.sha256).digest()
    return hmac.new(prk, info + b"\x01", hashlib.sha256).digest()


def locked(realm, token, ephemeral, nonce, secret):
    context = transcript(
        "tensfer/client/key-file-on-token/v1", 1, b"holder", realm.encode(), token.public, ephemeral.public
    )
    key = hkdf(ephemeral.key.exchange(ec.ECDH(), token.key.public_key()), context)
    return {
        "format": "tensfer key file",
        "version": 1,
        "purpose": "holder",
        "realm": realm,
        "protection": {"kind": "token", "key": b64(token.public), "ephemeral": b64(ephemeral.public)},
        "secret": b64(nonce + AESGCM(key).encrypt(nonce, secret, context)),
    }


def case(number, realm, secret):
    scalar = int.from_bytes(hashlib.sha256(b"token %d" % number).digest(), "big")
    ephemeral = int.from_bytes(hashlib.sha256(b"ephemeral %d" % number).digest(), "big")
    nonce = hashlib.sha256(b"nonce %d" % number).digest()[:12]
    file = locked(realm, P256(scalar), P256(ephemeral), nonce, secret)
    return {"realm": realm, "token": scalar.to_bytes(32, "big").hex(), "file": file, "secret": secret.hex()}


json.dump({
    "on_token": [
        case(1, "simulated", bytes(range(64))),
        case(2, "hardware", bytes(2432)),
        case(3, "hardware", b""),
    ],
}, sys.stdout, indent=1)
print()
