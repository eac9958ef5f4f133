"""PyPI http-message-signatures: signs and verifies what it is told on standard input.

usage: python3 peer.py < JOBS      a JSON array; the answers are another, in the same order (peer.mjs says what both hold)
The library makes and checks digests of bodies itself.
"""

import datetime
import json
import sys
from dataclasses import dataclass

from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    algorithms,
)

ALGORITHMS = {"ed25519": algorithms.ED25519, "ecdsa-p256-sha256": algorithms.ECDSA_P256_SHA256}


@dataclass
class Message:
    method: str
    url: str
    headers: dict


class Keys(HTTPSignatureKeyResolver):
    def __init__(self, job):
        self.keyid, self.key = job["keyid"], bytes.fromhex(job["key"])

    def resolve_private_key(self, key_id):
        return load_der_private_key(self.key, None)

    def resolve_public_key(self, key_id):
        return load_der_public_key(self.key) if key_id == self.keyid else None


def sign(job):
    message = Message(job["method"], job["url"], job["headers"])
    time = {name: datetime.datetime.fromtimestamp(job[name], datetime.timezone.utc) for name in ["created", "expires"]}
    body = bytes.fromhex(job["body"])
    signer = HTTPMessageSigner(signature_algorithm=ALGORITHMS[job["algorithm"]], key_resolver=Keys(job))
    signer.sign(
        message, key_id=job["keyid"], nonce=job["nonce"], tag=job["tag"], covered_component_ids=job["covered"],
        **({"body": body} if body else {}), **time,
    )
    return {"headers": message.headers}


def verify(job):
    message = Message(job["method"], job["url"], job["headers"])
    verifier = HTTPMessageVerifier(signature_algorithm=ALGORITHMS[job["algorithm"]], key_resolver=Keys(job))
    try:
        verifier.verify(message, expect_tag="tensfer", body=bytes.fromhex(job["body"]))
    except InvalidSignature as error:
        return {"verified": False, "why": str(error)}
    return {"verified": True}


jobs = json.load(sys.stdin)
print(json.dumps([sign(job) if job["do"] == "sign" else verify(job) for job in jobs]))
