#!/usr/bin/env python3
"""Makes vectors/evidence/made-snp.json: SEV-SNP reports that break one rule each, correctly signed in everything else.

usage: snp.py > vectors/evidence/made-snp.json      (Python standard library and PyPI `cryptography`)

Every run draws new keys and drops them, but for the one that signs documents: with it tests sign some of their own. The documents
differ, the verdicts do not. `cases.json` names the verdicts.
Layouts: AMD 56860 (report) and AMD 57230 (certificates).
"""
import base64
import datetime
import json
import struct
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID, ObjectIdentifier

MADE_AT = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.timezone.utc)
YEAR = datetime.timedelta(days=365)
PSS = padding.PSS(padding.MGF1(hashes.SHA384()), 48)
CHIP = bytes(range(1, 65))
MEASUREMENT, DATA = b"\x11" * 48, b"\x22" * 64
MILAN_ARCS, TURIN_ARCS = [1, 2, 4, 5, 6, 7, 3, 8], [9, 1, 2, 3, 5, 6, 7, 8]
MILAN_TCB, TURIN_TCB = bytes([4, 0, 0, 0, 0, 0, 24, 217]), bytes([1, 2, 3, 4, 0, 0, 0, 130])


class Authority:
    def __init__(self, name, issuer, path_length=None, ca=True):
        self.key, self.name = rsa.generate_private_key(65537, 2048), named(name)
        extensions = [(x509.BasicConstraints(ca, path_length if ca else None), True), (key_usage(), True)]
        self.der = certificate(self.name, self.key.public_key(), issuer or self, extensions)


def named(name):
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Vectors"), x509.NameAttribute(NameOID.COMMON_NAME, name)])


def key_usage():
    return x509.KeyUsage(False, False, False, False, False, True, False, False, False)


def certificate(subject, key, issuer, extensions, lifetime=7 * YEAR, hash_of=hashes.SHA384, pss=PSS):
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer.name).public_key(key).serial_number(1)
               .not_valid_before(MADE_AT - datetime.timedelta(days=1)).not_valid_after(MADE_AT + lifetime))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer.key, hash_of(), rsa_padding=pss).public_bytes(Encoding.DER)


def integer(value):
    return bytes([2, 1, value]) if value < 128 else bytes([2, 2, 0, value])


def amd(arc, value):
    return x509.UnrecognizedExtension(ObjectIdentifier(f"1.3.6.1.4.1.3704.1.{arc}"), value), False


def of_chip(product=b"Milan-B0", tcb=MILAN_TCB, arcs=MILAN_ARCS, chip=CHIP, wrapped=False, cloud=False, without=None, more=()):
    """The extensions of a VCEK or, of a cloud, a VLEK."""
    extensions = {"1": integer(1), "2": bytes([22, len(product)]) + product}
    extensions |= {f"3.{arc}": integer(part) for arc, part in zip(arcs, tcb)}
    extensions["5" if cloud else "4"] = b"\x16\x05cloud" if cloud else bytes([4, len(chip)]) + chip if wrapped else chip
    extensions.pop(without, None)
    return [amd(arc, value) for arc, value in extensions.items()] + list(more)


def report(key, version=3, policy=0x30000, vmpl=0, flags=0, tcb=MILAN_TCB, chip=CHIP, measurement=MEASUREMENT):
    body = bytearray(0x2a0)
    struct.pack_into("<IIQ", body, 0, version, 0, policy)
    struct.pack_into("<II", body, 0x30, vmpl, 1)
    struct.pack_into("<I", body, 0x48, flags)
    for at, field in {0x50: DATA, 0x90: measurement, 0x180: tcb, 0x1a0: chip}.items():
        body[at:at + len(field)] = field
    r, s = decode_dss_signature(key.sign(bytes(body), ec.ECDSA(hashes.SHA384())))
    return bytes(body) + (r.to_bytes(72, "little") + s.to_bytes(72, "little")).ljust(512, b"\0")


ARK = Authority("ARK-Vectors", None)
ASK = Authority("SEV-Vectors", ARK, 0)
NOT_CA = Authority("SEV-NotCa", ARK, ca=False)
KEY = ec.generate_private_key(ec.SECP384R1())
roots = {"ark": ARK.der, "twin": Authority("ARK-Vectors", None).der}
certificates, documents = {"ark": ARK.der, "ask": ASK.der, "not-ca": NOT_CA.der}, {}


def leaf(name, key=KEY, issuer=ASK, how=None, **chip):
    certificates[name] = certificate(named("SEV-VCEK"), key.public_key(), issuer, of_chip(**chip), **(how or {}))


leaf("vcek")
leaf("vcek-chip-in-octet-string", wrapped=True)
leaf("vcek-turin", product=b"Turin", tcb=TURIN_TCB, arcs=TURIN_ARCS, chip=CHIP[:8])
leaf("vcek-short-lived", how={"lifetime": datetime.timedelta(days=1)})
leaf("vcek-unknown-product", product=b"Naples")
leaf("vcek-without-product", without="2")
leaf("vcek-without-microcode", without="3.8")
leaf("vcek-chip-of-nine-bytes", chip=CHIP[:9])
leaf("vcek-by-no-authority", issuer=NOT_CA)
leaf("vcek-by-root", issuer=ARK)
leaf("vcek-is-an-authority", more=[(x509.BasicConstraints(True, None), True)])
leaf("vcek-for-encryption", more=[(x509.KeyUsage(False, False, True, False, False, False, False, False, False), True)])
leaf("vcek-unknown-critical", more=[(x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.9.9"), b"\5\0"), True)])
leaf("vcek-p256", key=ec.generate_private_key(ec.SECP256R1()))
leaf("vcek-pkcs1", how={"pss": padding.PKCS1v15()})
leaf("vcek-sha256", how={"hash_of": hashes.SHA256, "pss": padding.PSS(padding.MGF1(hashes.SHA256()), 32)})
leaf("vlek", cloud=True)
documents["valid"] = report(KEY)
documents["version-2"] = report(KEY, version=2)
documents["version-5"] = report(KEY, version=5)
documents["version-6"] = report(KEY, version=6)
documents["turin"] = report(KEY, tcb=TURIN_TCB, chip=CHIP[:8] + bytes(56))
documents["cloud"] = report(KEY, flags=1 << 2, chip=bytes(64))
documents["debug"] = report(KEY, policy=0x30000 | 1 << 19)
documents["migration"] = report(KEY, policy=0x30000 | 1 << 18)
documents["vmpl-1"] = report(KEY, vmpl=1)
documents["vmpl-max"] = report(KEY, vmpl=0xffffffff)
documents["hidden-chip"] = report(KEY, flags=1 << 1, chip=bytes(64))
documents["by-another-key"] = report(ec.generate_private_key(ec.SECP384R1()))
documents["newer-firmware"] = report(KEY, tcb=bytes([4, 0, 0, 0, 0, 0, 24, 218]))
documents["reserved-firmware-byte"] = report(KEY, tcb=bytes([4, 0, 0, 1, 0, 0, 24, 217]))

private = KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
text = lambda files: {name: base64.b64encode(data).decode() for name, data in files.items()}
json.dump({"source": "vectors/make/snp.py", "roots": text(roots), "certificates": text(certificates),
           "keys": text({"chip": private}), "documents": text(documents)}, sys.stdout, indent=1)
print()
