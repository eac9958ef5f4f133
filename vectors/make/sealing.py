#!/usr/bin/env python3
"""Known answers for sealing: X-Wing, HPKE, Oblivious HTTP, Padmé. Shares no code with the implementation.

usage: sealing.py > vectors/sealing/ohttp.json

Only the Python standard library and PyPI `cryptography` (48 or later, for ML-KEM). Written from RFC 9180, RFC 9458 and
draft-connolly-cfrg-xwing-kem. ML-KEM encapsulation is random, so every run gives other, equally valid answers.
"""
import hashlib
import hmac
import json
import sys

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SUITE = (0x647A, 0x0001, 0x0002)


def u16(number):
    return number.to_bytes(2, "big")


def extract(salt, ikm):
    return hmac.new(salt or bytes(32), ikm, hashlib.sha256).digest()


def expand(prk, info, length):
    out, block, counter = b"", b"", 1
    while len(out) < length:
        block = hmac.new(prk, block + info + bytes([counter]), hashlib.sha256).digest()
        out, counter = out + block, counter + 1
    return out[:length]


def raw(key):
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


SUITE_ID = b"HPKE" + b"".join(map(u16, SUITE))


def labeled_extract(salt, label, ikm):
    return extract(salt, b"HPKE-v1" + SUITE_ID + label + ikm)


def labeled_expand(prk, label, info, length):
    return expand(prk, u16(length) + b"HPKE-v1" + SUITE_ID + label + info, length)


def xwing(recipient_pq, recipient_x):
    """Encapsulates to the public halves: returns (enc, shared secret)."""
    secret_pq, ciphertext_pq = recipient_pq.encapsulate()
    ephemeral = X25519PrivateKey.generate()
    ciphertext_x = raw(ephemeral.public_key())
    secret_x = ephemeral.exchange(recipient_x)
    shared = hashlib.sha3_256(secret_pq + secret_x + ciphertext_x + raw(recipient_x) + b"\\.//^\\").digest()
    return ciphertext_pq + ciphertext_x, shared


def schedule(shared, info):
    context = b"\x00" + labeled_extract(b"", b"psk_id_hash", b"") + labeled_extract(b"", b"info_hash", info)
    secret = labeled_extract(shared, b"secret", b"")
    return {
        "key": labeled_expand(secret, b"key", context, 32),
        "base_nonce": labeled_expand(secret, b"base_nonce", context, 12),
        "exporter": labeled_expand(secret, b"exp", context, 32),
    }


def padme(length, minimum=512):
    if length <= minimum:
        return minimum
    exponent = length.bit_length() - 1
    kept = exponent.bit_length()
    step = 1 << (exponent - kept)
    return -(-length // step) * step


def case(number):
    seed_pq = hashlib.sha512(b"tensfer vectors ml-kem %d" % number).digest()
    seed_x = hashlib.sha256(b"tensfer vectors x25519 %d" % number).digest()
    pq = MLKEM768PrivateKey.from_seed_bytes(seed_pq)
    x = X25519PrivateKey.from_private_bytes(seed_x)
    key_id = (number * 91) % 256
    header = bytes([key_id]) + b"".join(map(u16, SUITE))
    info = b"message/bhttp request" + b"\x00" + header
    enc, shared = xwing(pq.public_key(), x.public_key())
    keys = schedule(shared, info)
    request = b"request %d " % number * (number * number + 1)
    response = b"response %d " % number * (number + 1)
    sealed = header + enc + AESGCM(keys["key"]).encrypt(keys["base_nonce"], request, b"")
    exported = labeled_expand(keys["exporter"], b"sec", b"message/bhttp response", 32)
    response_nonce = hashlib.sha256(b"tensfer vectors response nonce %d" % number).digest()
    prk = extract(enc + response_nonce, exported)
    reply = response_nonce + AESGCM(expand(prk, b"key", 32)).encrypt(expand(prk, b"nonce", 12), response, b"")
    return {
        "key_id": key_id,
        "ml_kem_seed": seed_pq.hex(),
        "x25519_private": seed_x.hex(),
        "public": (raw(pq.public_key()) + raw(x.public_key())).hex(),
        "enc": enc.hex(),
        "enc_sha256": hashlib.sha256(enc).hexdigest(),
        "shared_secret": shared.hex(),
        "exported": exported.hex(),
        "request": request.hex(),
        "encapsulated_request": sealed.hex(),
        "response_nonce": response_nonce.hex(),
        "response": response.hex(),
        "encapsulated_response": reply.hex(),
    }


if __name__ == "__main__":
    json.dump({
        "source": "vectors/make/sealing.py",
        "cases": [case(number) for number in range(4)],
        "padding": [[n, padme(n)] for n in
                    (0, 1, 511, 512, 513, 544, 545, 1000, 1023, 1024, 1025, 4095, 4097, 9000, 65536, 65537, 1000000)],
    }, sys.stdout, indent=1)
    print()
