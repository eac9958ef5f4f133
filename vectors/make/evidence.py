#!/usr/bin/env python3
"""Makes vectors/evidence/made.json: documents that break one rule each, correctly signed in everything else.

usage: evidence.py > vectors/evidence/made.json      (Python standard library and PyPI `cryptography`)

Every run draws new keys and drops them: the documents differ, the verdicts do not. `cases.json` names the verdicts.
"""
import base64
import datetime
import json
import pathlib
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ObjectIdentifier

from attester import (CA, CA_USAGE, DAY, END, END_USAGE, ES384_HEADER, HOUR, MARK, MARKED, SIMULATED, T0, Certificate, Indefinite,
                      Pairs, Raw, cbor, document, payload, usage)

HERE = pathlib.Path(__file__).resolve().parent.parent / "evidence"
roots, documents = {}, {}


def made(name, chain, members=None, **how):
    documents[name] = document(chain, members if members is not None else payload(chain), **how)


# ---- under a root that the caller takes for a vendor's ----
ROOT = Certificate("Vectors vendor root", None, [CA, CA_USAGE], lifetime=3650 * DAY)
roots["vendor"] = ROOT.der
MID = Certificate("Vectors intermediate", ROOT, [(x509.BasicConstraints(True, 0), True), CA_USAGE], lifetime=7 * DAY)
LEAF = Certificate("Vectors leaf", MID, [END, END_USAGE], lifetime=3 * HOUR)
CHAIN = [ROOT, MID, LEAF]


def under(extensions, **how):
    """A chain whose intermediate has these extensions."""
    middle = Certificate("Vectors intermediate", ROOT, extensions, lifetime=7 * DAY, **how)
    return [ROOT, middle, Certificate("Vectors leaf", middle, [END, END_USAGE], lifetime=3 * HOUR)]


def leaf(extensions, **how):
    """A chain whose leaf has these extensions."""
    how.setdefault("lifetime", 3 * HOUR)
    return [ROOT, MID, Certificate("Vectors leaf", MID, extensions, **how)]


made("valid", CHAIN)
made("valid-tagged", CHAIN, tag=True)
made("valid-indefinite-map", CHAIN, cbor(Indefinite(payload(CHAIN).items())))
made("valid-without-optional-members", CHAIN, payload(CHAIN, public_key=..., user_data=..., nonce=...))
made("ca-without-basic-constraints", under([CA_USAGE]))
made("ca-basic-constraints-not-critical", under([(CA[0], False), CA_USAGE]))
made("ca-is-not-a-ca", under([END, CA_USAGE]))
made("ca-without-key-usage", under([CA]))
made("ca-cannot-sign-certificates", under([CA, (usage(digital_signature=True, crl_sign=True), True)]))
LOWER = Certificate("Vectors lower intermediate", MID, [CA, CA_USAGE])
made("path-longer-than-allowed", [ROOT, MID, LOWER, Certificate("Vectors leaf", LOWER, [END, END_USAGE],
                                                               lifetime=3 * HOUR)])
made("leaf-is-a-ca", leaf([CA, (usage(digital_signature=True), True)]))
made("leaf-without-key-usage", leaf([END]))
made("leaf-cannot-sign", leaf([END, (usage(key_agreement=True), True)]))
made("leaf-can-sign-certificates", leaf([END, (usage(digital_signature=True, key_cert_sign=True), True)]))
UNKNOWN = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.9.9"), b"\x05\x00")
made("unknown-critical-extension", leaf([END, END_USAGE, (UNKNOWN, True)]))
made("unknown-uncritical-extension", leaf([END, END_USAGE, (UNKNOWN, False)]))
made("leaf-valid-for-ten-years", leaf([END, END_USAGE], lifetime=3650 * DAY))
made("leaf-valid-for-25-hours-and-a-second", leaf([END, END_USAGE], lifetime=25 * HOUR + datetime.timedelta(seconds=1)))
made("ca-signed-with-sha256", under([CA, CA_USAGE], algorithm=hashes.SHA256()))
P256 = ec.generate_private_key(ec.SECP256R1())
made("leaf-key-is-p256", leaf([END, END_USAGE], key=P256))
STRANGER = Certificate("Vectors stranger", ROOT, [CA, CA_USAGE])
made("leaf-names-another-issuer", leaf([END, END_USAGE], issuer_name=STRANGER.name))
made("leaf-signed-by-another-key", leaf([END, END_USAGE], signing_key=STRANGER.key))
made("look-alike-intermediate", [ROOT, Certificate("Vectors intermediate", None, [CA, CA_USAGE],
                                                   issuer_name=ROOT.name), LEAF])
TWIN = Certificate("Vectors vendor root", None, [CA, CA_USAGE], lifetime=3650 * DAY)
roots["look-alike"] = TWIN.der
TWIN_MID = Certificate("Vectors intermediate", TWIN, [CA, CA_USAGE], lifetime=7 * DAY)
made("look-alike-root", [TWIN, TWIN_MID, Certificate("Vectors leaf", TWIN_MID, [END, END_USAGE], lifetime=3 * HOUR)])
made("bundle-in-reverse", CHAIN, payload(CHAIN, cabundle=[MID.der, ROOT.der]))
made("bundle-without-intermediate", CHAIN, payload(CHAIN, cabundle=[ROOT.der]))
made("bundle-without-root", CHAIN, payload(CHAIN, cabundle=[MID.der]))
made("leaf-is-the-root", [ROOT, ROOT])

# ---- the envelope ----
# The signature is over another encoding of the same members: what was received is what is verified.
signature = documents["valid-indefinite-map"][-96:]
documents["re-encoded-payload"] = cbor([ES384_HEADER, {}, cbor(payload(CHAIN)), signature])
made("document-signed-by-another-key", CHAIN, signer=STRANGER.key)
made("document-signed-by-the-intermediate", CHAIN, signer=MID.key)
made("signature-in-der", CHAIN, encode=lambda der: der)
made("signature-empty", CHAIN, encode=lambda der: b"")
made("signature-zero", CHAIN, encode=lambda der: bytes(96))
made("algorithm-es256", CHAIN, header=bytes.fromhex("a10126"))
made("algorithm-es512", CHAIN, header=bytes.fromhex("a1013823"))
made("algorithm-absent", CHAIN, header=b"")
made("algorithm-in-a-longer-form", CHAIN, header=bytes.fromhex("a101390022"))
made("algorithm-with-another-header", CHAIN, header=bytes.fromhex("a20138220443010203"))
made("unprotected-header", CHAIN, unprotected={1: -35})
made("another-tag", CHAIN)
documents["another-tag"] = b"\xd1" + documents["another-tag"]

# ---- the payload ----
body = payload(CHAIN)
made("member-twice", CHAIN, cbor(Pairs(list(body.items()) + [("timestamp", body["timestamp"])])))
made("member-unknown", CHAIN, payload(CHAIN) | {"extra": 1})
made("member-missing", CHAIN, payload(CHAIN, timestamp=...))
made("bytes-after-the-payload", CHAIN, cbor(body) + b"\x00")
made("string-of-indefinite-length", CHAIN, payload(CHAIN, user_data=Raw(b"\x5f\x41\x61\xff")))
made("digest-sha512", CHAIN, payload(CHAIN, digest="SHA512"))
made("module-empty", CHAIN, payload(CHAIN, module_id=""))
made("timestamp-zero", CHAIN, payload(CHAIN, timestamp=0))
made("timestamp-negative", CHAIN, payload(CHAIN, timestamp=-1))
made("register-of-32-bytes", CHAIN, payload(CHAIN, pcrs={0: bytes(32), 1: bytes(48), 2: bytes(48)}))
made("register-32", CHAIN, payload(CHAIN, pcrs=body["pcrs"] | {32: bytes(48)}))
made("register-twice", CHAIN, payload(CHAIN, pcrs=Pairs(list(body["pcrs"].items()) + [(0, bytes(48))])))
made("registers-empty", CHAIN, payload(CHAIN, pcrs={}))
made("bundle-empty", CHAIN, payload(CHAIN, cabundle=[]))
made("bundle-of-nine", CHAIN, payload(CHAIN, cabundle=[ROOT.der] + [MID.der] * 8))
made("bundle-claims-four-billion", CHAIN, payload(CHAIN, cabundle=Raw(b"\x9a\xff\xff\xff\xff")))
made("user-data-of-513-bytes", CHAIN, payload(CHAIN, user_data=bytes(513)))
made("certificate-of-1025-bytes", CHAIN, payload(CHAIN, certificate=bytes(1025)))
made("certificate-is-not-der", CHAIN, payload(CHAIN, certificate=bytes(64)))
made("timestamp-after-the-certificate", CHAIN, payload(CHAIN, timestamp=1795348800000 + 3 * 3600 * 1000))
made("timestamp-before-the-certificate", CHAIN, payload(CHAIN, timestamp=1795348800000 - 2 * 3600 * 1000))
made("debug", CHAIN, payload(CHAIN, pcrs={number: bytes(48) for number in range(16)} | {3: b"\x04" * 48}))
made("debug-register-absent", CHAIN, payload(CHAIN, pcrs={0: b"\x01" * 48, 1: b"\x02" * 48}))

# ---- simulation ----
SIM_ROOT = Certificate("Vectors simulation", None, [CA, CA_USAGE, SIMULATED], lifetime=31 * DAY, organization=MARK)
roots["simulation"] = SIM_ROOT.der


def simulated(root_marks=(SIMULATED,), leaf_marks=(SIMULATED,), organization=MARK, module="dev-simulated-vectors",
              root=None, lifetime=31 * DAY):
    root = root or Certificate("Vectors simulation", None, [CA, CA_USAGE, *root_marks], lifetime=lifetime,
                               organization=MARK)
    end = Certificate("Vectors simulated leaf", root, [END, END_USAGE, *leaf_marks], lifetime=24 * HOUR,
                      organization=organization)
    chain = [root, end]
    return chain, payload(chain, module_id=module)


made("simulated", *simulated(root=SIM_ROOT))
made("simulated-leaf-unmarked", *simulated(root=SIM_ROOT, leaf_marks=()))
made("simulated-leaf-mark-not-critical", *simulated(root=SIM_ROOT, leaf_marks=((MARKED, False),)))
made("simulated-leaf-of-another-organization", *simulated(root=SIM_ROOT, organization="Amazon"))
made("simulated-module-unmarked", *simulated(root=SIM_ROOT, module="i-0123456789abcdef0-enc0"))
chain, body = simulated(root_marks=())
roots["simulation-unmarked"] = chain[0].der
made("simulated-root-unmarked", chain, body)
chain, body = simulated(lifetime=60 * DAY)
roots["simulation-long-lived"] = chain[0].der
made("simulated-root-long-lived", chain, body)
made("marked-under-vendor", leaf([END, END_USAGE, SIMULATED]))
made("marked-uncritically-under-vendor", leaf([END, END_USAGE, (MARKED, False)]))
made("organization-under-vendor", leaf([END, END_USAGE], organization=MARK))
made("module-under-vendor", CHAIN, payload(CHAIN, module_id="dev-simulated-x"))


# ---- a real document with another root in its bundle ----
def read(data, at=0):
    """A CBOR item and where it ends; only what the recorded document uses."""
    major, info, at = data[at] >> 5, data[at] & 31, at + 1
    size = {24: 1, 25: 2, 26: 4, 27: 8}.get(info, 0)
    number = int.from_bytes(data[at:at + size], "big") if size else info
    at += size
    if major == 0:
        return number, at
    if major == 1:
        return -1 - number, at
    if major in (2, 3):
        item = data[at:at + number]
        return (item if major == 2 else item.decode()), at + number
    if major == 4:
        items = []
        for _ in range(number):
            item, at = read(data, at)
            items.append(item)
        return items, at
    if major == 5:
        items = {}
        for _ in range(number):
            key, at = read(data, at)
            items[key], at = read(data, at)
        return items, at
    if (major, info) == (7, 22):
        return None, at
    raise ValueError(major)


envelope, _ = read((HERE / "nitro/evervault-beta-valid.cose").read_bytes())
members, _ = read(envelope[2])
fake = (HERE / "roots/fake-aws-root.der").read_bytes()
members["cabundle"][0] = fake
documents["aws-with-fake-root"] = cbor([envelope[0], {}, cbor(members), envelope[3]])
members, _ = read(envelope[2])
members["pcrs"][0] = b"\x11" * 48
documents["aws-with-another-register"] = cbor([envelope[0], {}, cbor(members), envelope[3]])
debug, _ = read((HERE / "nitro/evervault-beta-debugmode.cose").read_bytes())
documents["aws-payload-with-another-signature"] = cbor([envelope[0], {}, envelope[2], debug[3]])
members["cabundle"] = read(debug[2])[0]["cabundle"]
documents["aws-with-another-bundle"] = cbor([envelope[0], {}, cbor(members), envelope[3]])


def base64s(items):
    return {name: base64.b64encode(item).decode() for name, item in items.items()}


json.dump({"source": "vectors/make/evidence.py", "time": T0.isoformat(), "roots": base64s(roots),
           "documents": base64s(documents)}, sys.stdout, indent=1)
print()
