#!/usr/bin/env python3
"""Known answers for grants: body, both wraps, the sealed share, a request by a grant, states. Shares no code with the
implementation; written from docs/spec/grants.md.

usage: grants.py > vectors/grants.json

Only the Python standard library and PyPI `cryptography` (48 or later, for ML-KEM). ML-KEM encapsulation is random, so every run gives
other, equally valid answers.
"""
import hashlib
import json
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from envelope import ROOTS, SEALED, binding, cbor, fixed, hkdf, readable, transcript
from sealing import raw, schedule, xwing

NOW = 1_795_305_600_000
DAY = 24 * 3_600_000


def sha256(data):
    return hashlib.sha256(data).digest()


def key_of(seed):
    private = Ed25519PrivateKey.from_private_bytes(seed)
    return private, {0: 0, 1: private.public_key().public_bytes_raw(), 2: 0}


def grant(number, at, rate):
    """One of the envelope script's, granted."""
    case, envelope, _ = SEALED[at]
    header, epoch = envelope[1], case["epoch"]
    seed = fixed(f"grant key {number}", 32)
    private, key = key_of(seed)
    terms = {0: key, 1: [2, 8, 11][:number], 2: NOW, 3: NOW + 30 * DAY, 4: 1000 * number}
    if rate:
        terms[5] = {0: 24, 1: DAY}
    identifier, share = fixed(f"grant id {number}", 16), fixed(f"grant share {number}", 32)
    nonces = fixed(f"grant inner {number}", 12), fixed(f"grant outer {number}", 12)
    payload = sha256(case["envelope"][:-1 - len(cbor(envelope[4]))])
    body = cbor({0: 1, 1: identifier, 2: header, 3: payload, 4: terms})
    data_key = case["randomness"][:32]
    inner_key = hkdf(share, transcript("tensfer/grant/share-wrap/v1", *binding(header), header[4], identifier))
    inner = nonces[0] + AESGCM(inner_key).encrypt(nonces[0], data_key, transcript("tensfer/grant/share-wrap-aad/v1", body))
    outer_key = hkdf(ROOTS[epoch], transcript("tensfer/grant/root-wrap/v1", *binding(header), header[4], identifier, epoch))
    outer = AESGCM(outer_key).encrypt(nonces[1], inner, transcript("tensfer/grant/root-wrap-aad/v1", body, epoch))
    seed_pq, seed_x = fixed(f"grant ml-kem {number}", 64), fixed(f"grant x25519 {number}", 32)
    pq, x = MLKEM768PrivateKey.from_seed_bytes(seed_pq), X25519PrivateKey.from_private_bytes(seed_x)
    info = transcript("tensfer/grant/share/v1", identifier, sha256(body))
    encapsulated, shared = xwing(pq.public_key(), x.public_key())
    keys = schedule(shared, info)
    ciphertext = AESGCM(keys["key"]).encrypt(keys["base_nonce"], share, b"")
    whole = cbor({0: body, 1: {0: epoch, 1: nonces[1], 2: outer}})
    request = cbor({0: 1, 1: 2, 2: cbor({0: "EUR"}), 3: case["envelope"], 4: share, 5: fixed(f"grant nonce {number}", 16), 6: NOW,
                    7: NOW + 60_000, 8: bytes([0x1d]) * 32, 9: 7, 10: bytes([0xec]) * 32, 11: 0, 13: whole})
    protected = b"\xa2\x01\x27\x04" + cbor(sha256(transcript("tensfer/owner-key/v1", cbor(key))))
    signed = cbor(["Signature1", protected, b"tensfer/granted-request/v1", request])
    signature = b"\x84" + cbor(protected) + b"\xa0\xf6" + cbor(private.sign(signed))
    return {
        "class": case["class"], "root": ROOTS[epoch], "envelope": case["envelope"], "payload": payload, "credential": case["credential"],
        "owner_share": case["share"], "terms": cbor(terms), "id": identifier, "share": share, "body": body, "grant": whole,
        "nonces": list(nonces), "ml_kem_seed": seed_pq, "x25519_private": seed_x, "public": raw(pq.public_key()) + raw(x.public_key()),
        "info": info, "made": cbor({0: whole, 1: encapsulated, 2: ciphertext}), "request": request,
        "authorised": cbor({0: request, 1: [signature]}),
    }, epoch


def states():
    """The largest grant, one that was never used, and both in the state of a connection."""
    largest = {0: b"\xff" * 16, 1: b"\xfe" * 16, 2: 2**64 - 1, 3: 2**32 - 1, 4: 2**32 - 1, 5: 2**64 - 1, 6: [2**64 - 1, 2**32 - 1]}
    unused = {0: fixed("grant id 1", 16), 1: fixed("grant key name", 16), 2: NOW + DAY, 3: 1, 4: 0}
    # The encoder has no bool.
    connection = b"\xa5\x00\x01\x02\x07\x03" + cbor(fixed("receipt", 32)) + b"\x04\xf4\x05" + cbor([unused, largest])
    return {"largest": cbor(largest), "unused": cbor(unused), "connection": connection}


if __name__ == "__main__":
    cases = [readable(case) | {"epoch": epoch} for case, epoch in (grant(1, 0, False), grant(2, 3, True), grant(3, 5, True))]
    json.dump({"source": "vectors/make/grants.py, from docs/spec/grants.md; bytes in hexadecimal", "cases": cases,
               "states": readable(states())}, sys.stdout, indent=1)
    print()
