#!/usr/bin/env python3
"""Known answers for owner keys, signed requests, receipts and the identity. Shares no code with the implementation;
written from docs/spec/{protocol,requests,receipts}.md.

usage: protocol.py > vectors/protocol.json

Only the Python standard library and PyPI `cryptography` (vectors/make/requirements.txt). Keys are fixed; Ed25519 is
deterministic, and the one ES256 signature is made with the deterministic nonce of RFC 6979, so every run gives the same file.
"""
import hashlib
import json
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def cbor(value):
    """Deterministic CBOR (RFC 8949 §4.2.1) of None, bool, int, bytes, str, list and dict with ascending integer keys."""
    def head(major, number):
        for limit, extra, form in ((24, None, None), (1 << 8, 24, ">B"), (1 << 16, 25, ">H"), (1 << 32, 26, ">I"), (1 << 64, 27, ">Q")):
            if number < limit:
                return bytes([major << 5 | (number if extra is None else extra)]) + (struct.pack(form, number) if form else b"")
        raise ValueError(number)
    if value is None:
        return b"\xf6"
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    return head(5, len(value)) + b"".join(cbor(key) + cbor(item) for key, item in value.items())


def lp(data):
    return struct.pack(">I", len(data)) + data


def transcript(domain, *fields):
    return lp(domain.encode()) + b"".join(lp(struct.pack(">Q", f) if isinstance(f, int) else f) for f in fields)


def sha256(data):
    return hashlib.sha256(data).digest()


EDDSA, ES256 = -8, -7
DEVICE, SECOND = 0, 1


class Ed:
    algorithm, index = EDDSA, 0

    def __init__(self, seed):
        self.key = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, message):
        return self.key.sign(message)


class P256:
    algorithm, index = ES256, 1

    def __init__(self, scalar):
        self.key = ec.derive_private_key(scalar, ec.SECP256R1())
        self.public = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def sign(self, message):
        der = self.key.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        r, s = decode_dss_signature(der)
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def owner_key(key, role):
    return cbor({0: key.index, 1: key.public, 2: role})


def name(key, role):
    return sha256(transcript("tensfer/owner-key/v1", owner_key(key, role)))


def sign1(key, kid, domain, payload, attached):
    protected = cbor({1: key.algorithm, 4: kid})
    signed = cbor(["Signature1", protected, domain.encode(), payload])
    return cbor([protected, {}, payload if attached else None, key.sign(signed)]), signed


def main():
    device, second, receipt_key = Ed(bytes(range(32))), P256(0x1234567890ABCDEF), Ed(bytes([0xA5]) * 32)
    keys = [(device, DEVICE), (second, SECOND)]
    owners = transcript("tensfer/owner-set/v1", *sorted(owner_key(*key) for key in keys))

    balances = cbor({0: "EUR"})
    request = cbor({
        0: 1, 1: 2, 2: balances, 3: bytes([0xE1]) * 40, 4: bytes([0x51]) * 32, 5: bytes(range(16)), 6: 1_795_305_600_000,
        7: 1_795_305_660_000, 8: bytes([0x1D]) * 32, 9: 7, 10: bytes([0xEC]) * 32, 11: 3, 12: bytes([0x3E]) * 32,
    })
    signatures = [sign1(key, name(key, role), "tensfer/owner-request/v1", request, False) for key, role in keys]
    authorised = cbor({0: request, 1: [signature for signature, _ in signatures]})

    connection, boot, result = bytes([0xC0]) * 16, bytes([0xB0]) * 16, cbor({})
    kid = sha256(receipt_key.public)
    done = cbor({0: 2, 1: connection, 2: boot, 3: 4, 4: bytes([0x3E]) * 32, 5: sha256(request), 7: 1_795_305_601_000, 9: sha256(result)})
    refused = cbor({2: boot, 3: 0, 5: sha256(b"not understood"), 6: 1, 7: 1_795_305_602_000})
    finding = cbor({0: connection, 1: "kraken", 2: [{0: "read", 1: 1, 2: 0, 3: "POST /0/private/GetApiKeyInfo", 4: bytes([9]) * 32},
                    {0: "withdraw", 1: 2, 2: 1}], 3: 1_795_305_600_000, 4: 1_795_910_400_000})

    root = bytes(range(1, 200))
    sandbox = sha256(transcript("tensfer/sandbox-environment/v1", root, b"sandbox.test"))
    identity = cbor({
        0: 1, 1: [{0: 7, 1: [0x647A, 1, 2], 2: bytes([0x77]) * 1216, 3: 1_795_309_200_000}], 2: receipt_key.public, 3: boot,
        4: {0: 2, 1: 1, 2: [[1, bytes([1]) * 32], [2, bytes([2]) * 32]]}, 6: bytes([6]) * 32, 7: [], 8: 0, 9: [1, [sandbox]],
        11: {0: "0.1.0", 1: "unknown"}, 12: 1_795_305_600_000, 13: 1_795_309_200_000,
    })
    print(json.dumps({
        "about": "made by vectors/make/protocol.py; bytes in hexadecimal",
        "owners": {
            "keys": [{"role": ["device", "second"][role], "algorithm": {EDDSA: "EdDSA", ES256: "ES256"}[key.algorithm],
                      "public": key.public.hex(), "encoded": owner_key(key, role).hex(), "name": name(key, role).hex()}
                     for key, role in keys],
            "set": sha256(owners).hex(),
        },
        "request": {
            "args": balances.hex(), "encoded": request.hex(), "hash": sha256(request).hex(),
            "signatures": [{"signed": signed.hex(), "encoded": signature.hex()} for signature, signed in signatures],
            "authorised": authorised.hex(),
        },
        "receipts": {
            "seed": (bytes([0xA5]) * 32).hex(), "key": receipt_key.public.hex(),
            "cases": [{"payload": payload.hex(), "signed": sign1(receipt_key, kid, "tensfer/receipt/v1", payload, True)[0].hex(),
                       "hash": sha256(payload).hex()} for payload in (done, refused)],
        },
        "finding": {"payload": finding.hex(), "signed": sign1(receipt_key, kid, "tensfer/capability/v1", finding, True)[0].hex()},
        "identity": {"encoded": identity.hex(), "hash": sha256(identity).hex(), "sandbox_root": root.hex(), "sandbox": sandbox.hex()},
    }, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
