#!/usr/bin/env python3
"""Known answers for an envelope on its way to another program: a capsule and its seal. Shares no code with the implementation;
written from docs/spec/moving.md.

usage: moving.py > vectors/moving.json

Only the Python standard library and PyPI `cryptography` (48 or later, for ML-KEM). ML-KEM encapsulation is random, so every run gives
other, equally valid answers.
"""
import hashlib
import json
import sys

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from envelope import SEALED, cbor, fixed, hkdf, readable, transcript
from sealing import raw, schedule, xwing


def sha256(data):
    return hashlib.sha256(data).digest()


def moved(number, epoch, key_id):
    """The last of the envelope script's is of class `owner`."""
    case, envelope, inner = SEALED[-1]
    assert case["class"] == "owner"
    # Everything before the wrap, whose key is one byte.
    payload = sha256(case["envelope"][:-1 - len(cbor(envelope[4]))])
    identity, root = fixed(f"identity {number}", 300), fixed(f"root of class any {number}", 32)
    seed_pq, seed_x = fixed(f"moving ml-kem {number}", 64), fixed(f"moving x25519 {number}", 32)
    pq, x = MLKEM768PrivateKey.from_seed_bytes(seed_pq), X25519PrivateKey.from_private_bytes(seed_x)
    info = transcript("tensfer/hand-on/v1", payload, sha256(identity))
    encapsulated, shared = xwing(pq.public_key(), x.public_key())
    keys = schedule(shared, info)
    ciphertext = AESGCM(keys["key"]).encrypt(keys["base_nonce"], inner, b"")
    sealed = transcript("tensfer/hand-on-seal/v1", epoch, payload, sha256(identity), key_id, encapsulated, ciphertext)
    seal = hkdf(root, sealed)
    return {
        "envelope": case["envelope"], "share": case["share"], "credential": case["credential"], "payload": payload, "identity": identity,
        "inner": inner, "ml_kem_seed": seed_pq, "x25519_private": seed_x, "public": raw(pq.public_key()) + raw(x.public_key()),
        "epoch": epoch, "root": root, "info": info,
        "capsule": cbor({0: key_id, 1: encapsulated, 2: ciphertext, 3: epoch, 4: seal}), "seal": seal,
    }


if __name__ == "__main__":
    cases = [readable({key: value for key, value in case.items() if key != "epoch"}) | {"epoch": case["epoch"]}
             for case in (moved(1, 1, 0), moved(2, 300, 255))]
    json.dump({"source": "vectors/make/moving.py, from docs/spec/moving.md; bytes in hexadecimal", "cases": cases}, sys.stdout, indent=1)
    print()
