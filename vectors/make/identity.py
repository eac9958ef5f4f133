#!/usr/bin/env python3
"""Ids of API keys, proofs of possession and transaction tokens, by docs/spec/identity.md. Shares no code with the implementation.

usage: identity.py > vectors/identity.json

Only the Python standard library and PyPI `cryptography` (vectors/make/requirements.txt). Everything is fixed, so every run gives
the same file. Bytes are hexadecimal.
"""
import base64
import hashlib
import json
import sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

ORGANISATION = bytes(range(16))
NOW = 1_800_000_000
BODY = b'{"name": "reports"}'


def transcript(*fields):
    return b"".join(len(field).to_bytes(4, "big") + field for field in fields)


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Ed25519:
    name = "ed25519"

    def __init__(self, label):
        self.key = ed25519.Ed25519PrivateKey.from_private_bytes(hashlib.sha256(label).digest())
        raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
        self.public = self.key.public_key().public_bytes(*raw)

    def sign(self, message):
        return self.key.sign(message)


class P256:
    name = "ecdsa-p256-sha256"

    def __init__(self, label):
        self.key = ec.derive_private_key(int.from_bytes(hashlib.sha256(label).digest(), "big"), ec.SECP256R1())
        point = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        self.public = self.key.public_key().public_bytes(*point)

    def sign(self, message):
        der = self.key.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        r, s = utils.decode_dss_signature(der)
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def key_id(key):
    hashed = hashlib.sha256(transcript(b"tensfer/api-key/v1", key.name.encode(), key.public)).digest()
    return "key_" + hashed[:16].hex()


def possession(key, organisation):
    return transcript(b"tensfer/api-key-possession/v1", organisation, key.name.encode(), key.public)


def key_case(key, other):
    signed = possession(key, ORGANISATION)
    return {
        "algorithm": key.name,
        "public_key": key.public.hex(),
        "id": key_id(key),
        "organisation": "org_" + ORGANISATION.hex(),
        "possession": signed.hex(),
        "proof": key.sign(signed).hex(),
        "other_proofs": {
            "of another key": other.sign(signed).hex(),
            "for another organisation": key.sign(possession(key, bytes(16))).hex(),
            "of another purpose": key.sign(transcript(b"tensfer/api-key/v1", key.name.encode(), key.public)).hex(),
            "of the public key alone": key.sign(key.public).hex(),
        },
    }


ISSUER = Ed25519(b"issuer")
PROGRAM = Ed25519(b"program")


def header(alg="EdDSA", typ="txntoken+jwt", issuer=ISSUER):
    kid = b64url(hashlib.sha256(issuer.public).digest())
    return '{"alg":"%s","kid":"%s","typ":"%s"}' % (alg, kid, typ)


def claims(**changes):
    digest = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    asked = {
        "method": "POST",
        "path": "/v1/keys",
        "query": None,
        "content_type": "application/json",
        "content_digest": f"sha-256=:{digest}:",
        "idempotency_key": "7f3a",
    }
    return {
        "iss": "identity",
        "aud": "identity",
        "iat": NOW,
        "exp": NOW + 30,
        "txn": "req_" + "0a" * 16,
        "sub": key_id(PROGRAM),
        "org": "org_" + ORGANISATION.hex(),
        "scope": "keys:read keys:write",
        "env": "sandbox",
        "tctx": asked,
        "rctx": {"req_ip": "192.0.2.7"},
    } | changes


def token(head=None, payload=None, signer=ISSUER):
    payload = json.dumps(claims(), separators=(",", ":")) if payload is None else payload
    signed = b64url((header() if head is None else head).encode()) + "." + b64url(payload.encode())
    return signed + "." + b64url(signer.sign(signed.encode()))


def compact(value):
    return json.dumps(value, separators=(",", ":"))


def token_cases():
    stranger = Ed25519(b"stranger")
    reordered = dict(reversed(list(claims().items())))
    good = token()
    bad = {
        "signed by another key": token(signer=stranger),
        "of another issuer's header": token(head=header(issuer=stranger)),
        "alg none": token(head=header(alg="none")),
        "alg ES256": token(head=header(alg="ES256")),
        "typ JWT": token(head=header(typ="JWT")),
        "a space in the header": token(head=header().replace(",", ", ")),
        "no signature": good.rsplit(".", 1)[0] + ".",
        "two parts": good.rsplit(".", 1)[0],
        "padded": good + "==",
        "for another service": token(payload=compact(claims(aud="relay"))),
        "of another issuer": token(payload=compact(claims(iss="gateway"))),
        "over": token(payload=compact(claims(iat=NOW - 31, exp=NOW - 1))),
        "of the future": token(payload=compact(claims(iat=NOW + 10, exp=NOW + 40))),
        "for too long": token(payload=compact(claims(exp=NOW + 31))),
        "that ends before it begins": token(payload=compact(claims(iat=NOW + 2, exp=NOW + 1))),
        "a claim more": token(payload=compact(claims(act="operator"))),
        "a claim less": token(payload=compact({k: v for k, v in claims().items() if k != "scope"})),
        "another order": token(payload=compact(reordered)),
        "white space": token(payload=json.dumps(claims())),
        "a claim twice": token(payload=compact(claims())[:-1] + ',"env":"live"}'),
        "an unknown scope": token(payload=compact(claims(scope="everything"))),
        "scopes in another order": token(payload=compact(claims(scope="keys:write keys:read"))),
        "an unknown environment": token(payload=compact(claims(env="Sandbox"))),
        "no key": token(payload=compact(claims(sub="operator"))),
    }
    return {
        "issuer": ISSUER.public.hex(),
        "audience": "identity",
        "now": NOW * 1000 + 1500,
        "body": BODY.hex(),
        "token": good,
        "key": key_id(PROGRAM),
        "refused": bad,
    }


json.dump(
    {
        "about": "docs/spec/identity.md, sections 2 and 9; made by vectors/make/identity.py",
        "keys": [key_case(PROGRAM, P256(b"other")), key_case(P256(b"backend"), PROGRAM)],
        "tokens": token_cases(),
    },
    sys.stdout,
    indent=1,
)
print()
