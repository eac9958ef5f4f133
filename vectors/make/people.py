#!/usr/bin/env python3
"""Ids, challenges and transaction tokens of people, by docs/spec/people.md. Shares no code with the implementation.

usage: people.py > vectors/people.json

Only the Python standard library and PyPI `cryptography` (vectors/make/requirements.txt). Everything is fixed, so every run gives
the same file. Bytes are hexadecimal.
"""
import base64
import hashlib
import json
import sys

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

NOW = 1_800_000_000
TOKEN = hashlib.sha512(b"a ceremony").digest()[:56]
CREDENTIAL = hashlib.sha256(b"a credential").digest()


def transcript(*fields):
    return b"".join(len(field).to_bytes(4, "big") + field for field in fields)


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def derived(prefix, *fields):
    return prefix + hashlib.sha256(transcript(*fields)).digest()[:16].hex()


def ed25519_key(label):
    return ed25519.Ed25519PrivateKey.from_private_bytes(hashlib.sha256(label).digest())


def raw(key):
    return key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def point(label):
    key = ec.derive_private_key(int.from_bytes(hashlib.sha256(label).digest(), "big"), ec.SECP256R1())
    return key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


DEVICES = [("ed25519", raw(ed25519_key(b"laptop"))), ("ecdsa-p256-sha256", point(b"phone"))]
PURPOSES = ["sign_up", "sign_in", "add_passkey", "recover"]
BASE = b'"@method": DELETE\n"@authority": localhost:8080'
PASSKEY = derived("pk_", b"tensfer/passkey/v1", CREDENTIAL)
PERSON = derived("person_", b"tensfer/person/v1", TOKEN)


def session(device):
    return derived("ses_", b"tensfer/session/v1", device[0].encode(), device[1])


def challenge(purpose, device):
    fields = b"tensfer/ceremony-challenge/v1", purpose.encode(), TOKEN, device[0].encode(), device[1]
    return hashlib.sha256(transcript(*fields)).hexdigest()


def device_case(device):
    return {
        "algorithm": device[0],
        "public_key": device[1].hex(),
        "session": session(device),
        "challenges": {purpose: challenge(purpose, device) for purpose in PURPOSES},
    }


ISSUER = ed25519_key(b"issuer")


def claims(**changes):
    asked = {key: None for key in ("method", "path", "query", "content_type", "content_digest", "idempotency_key")}
    asked |= {"method": "GET", "path": "/v1/person"}
    return {
        "iss": "identity",
        "aud": "identity",
        "iat": NOW,
        "exp": NOW + 30,
        "txn": "req_" + "0a" * 16,
        "sub": PERSON,
        "ses": session(DEVICES[0]),
        "env": "sandbox",
        "tctx": asked,
        "rctx": {"req_ip": "192.0.2.7"},
    } | changes


def token(payload):
    kid = b64url(hashlib.sha256(raw(ISSUER)).digest())
    header = '{"alg":"EdDSA","kid":"%s","typ":"txntoken+jwt"}' % kid
    payload = json.dumps(payload, separators=(",", ":"))
    signed = b64url(header.encode()) + "." + b64url(payload.encode())
    return signed + "." + b64url(ISSUER.sign(signed.encode()))


def after(claims, member, **more):
    """The same claims with more of them behind that member."""
    given = {}
    for name, value in claims.items():
        given[name] = value
        if name == member:
            given |= more
    return given


def without(member):
    return {name: value for name, value in claims().items() if name != member}


json.dump(
    {
        "about": "docs/spec/people.md, sections 2, 3, 6 and 9; made by vectors/make/people.py",
        "token": TOKEN.hex(),
        "person": PERSON,
        "credential": CREDENTIAL.hex(),
        "passkey": PASSKEY,
        "devices": [device_case(device) for device in DEVICES],
        "step_up": {
            "base": BASE.hex(),
            "challenge": hashlib.sha256(transcript(b"tensfer/step-up/v1", hashlib.sha256(BASE).digest())).hexdigest(),
        },
        "transaction": {
            "issuer": raw(ISSUER).hex(),
            "now": NOW * 1000 + 1500,
            "token": token(claims()),
            "fresh": token(after(claims(), "ses", fresh=PASSKEY)),
            "refused": {
                "a program's id": token(claims(sub="key_" + "0b" * 16)),
                "a key in the session's place": token(claims(ses="key_" + "0b" * 16)),
                "no session": token(without("ses")),
                "a session that is null": token(claims(ses=None)),
                "a program's organisation and scopes besides": token(
                    after(after(claims(), "sub", org="org_" + "0c" * 16), "ses", scope="keys:read")
                ),
                "a fresh word of no passkey": token(after(claims(), "ses", fresh=PERSON)),
                "a fresh word that is null": token(after(claims(), "ses", fresh=None)),
                "a fresh word before the session": token(after(claims(), "sub", fresh=PASSKEY)),
                "an organisation alone": token(after(without("ses"), "sub", org="org_" + "0c" * 16)),
                "scopes besides": token(after(claims(), "ses", scope="")),
                "the session before the person": token(after(without("ses"), "txn", ses=session(DEVICES[0]))),
            },
        },
    },
    sys.stdout,
    indent=1,
)
print()
