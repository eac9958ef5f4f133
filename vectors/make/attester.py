"""A Nitro-format attester whose every rule can be broken: certificates, payload, envelope. For vectors only.

Written from docs/spec/evidence.md; shares no code with the implementation. Keys are drawn anew at each run and dropped.
"""
import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID, ObjectIdentifier

T0 = datetime.datetime(2026, 11, 22, 12, 0, 0, tzinfo=datetime.timezone.utc)
T0_MILLIS = 1795348800000
MARK = "DEVELOPMENT - NOT A TEE"
SIMULATION = ObjectIdentifier("1.3.6.1.4.1.99999.1.1")
HOUR = datetime.timedelta(hours=1)
DAY = datetime.timedelta(days=1)
MARKED = x509.UnrecognizedExtension(SIMULATION, b"\x0c" + bytes([len(MARK)]) + MARK.encode())


# --- CBOR, only what is needed, with a way to write what is not canonical ---

class Raw(bytes):
    """Bytes that are CBOR already."""


class Indefinite(list):
    """Pairs of a map of indefinite length."""


class Pairs(list):
    """Pairs of a map, in this order, duplicates and all."""


def head(major, number):
    for code, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 24:
            return bytes([major << 5 | number])
        if number < 1 << 8 * size:
            return bytes([major << 5 | code]) + number.to_bytes(size, "big")
    raise ValueError(number)


def cbor(value):
    if isinstance(value, Raw):
        return bytes(value)
    if value is None:
        return b"\xf6"
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, Indefinite):
        return b"\xbf" + b"".join(cbor(k) + cbor(v) for k, v in value) + b"\xff"
    if isinstance(value, Pairs):
        return head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in value)
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    if isinstance(value, dict):
        return cbor(Pairs(value.items()))
    raise TypeError(value)


# --- certificates ---

def usage(**bits):
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: bits.get(name, False) for name in names})


CA = (x509.BasicConstraints(True, None), True)
CA_USAGE = (usage(key_cert_sign=True, crl_sign=True), True)
END = (x509.BasicConstraints(False, None), True)
END_USAGE = (usage(digital_signature=True), True)
SIMULATED = (MARKED, True)


class Certificate:
    """One certificate with its key. `extensions` are (extension, critical) pairs; `issuer` None: self-signed."""

    def __init__(self, name, issuer, extensions, lifetime=DAY, start=T0 - HOUR, organization="Tensfer test vectors",
                 key=None, issuer_name=None, signing_key=None, algorithm=None):
        self.key = key or ec.generate_private_key(ec.SECP384R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name),
                               x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)])
        builder = (x509.CertificateBuilder()
                   .subject_name(self.name)
                   .issuer_name(issuer_name or (issuer or self).name)
                   .public_key(self.key.public_key())
                   .serial_number(x509.random_serial_number())
                   .not_valid_before(start)
                   .not_valid_after(start + lifetime))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        signer = signing_key or (issuer or self).key
        self.der = builder.sign(signer, algorithm or hashes.SHA384()).public_bytes(serialization.Encoding.DER)


# --- documents ---

ES384_HEADER = bytes.fromhex("a1013822")


def raw_signature(der):
    r, s = decode_dss_signature(der)
    return r.to_bytes(48, "big") + s.to_bytes(48, "big")


def payload(chain, **changes):
    """The payload's members in AWS's order; a change to None-like `...` leaves a member out."""
    members = {
        "module_id": "i-vectors-enc0",
        "digest": "SHA384",
        "timestamp": T0_MILLIS,
        "pcrs": {number: bytes([number + 1]) * 48 if number < 3 else bytes(48) for number in range(16)},
        "certificate": chain[-1].der,
        "cabundle": [certificate.der for certificate in chain[:-1]],
        "public_key": None,
        "user_data": b"tensfer vectors",
        "nonce": bytes(range(32)),
    }
    members.update(changes)
    return {name: value for name, value in members.items() if value is not ...}


def document(chain, members, header=ES384_HEADER, signer=None, unprotected=None, encode=raw_signature, tag=False):
    """Signs what it is given, whatever it is."""
    body = members if isinstance(members, bytes) else cbor(members)
    key = signer or chain[-1].key
    signature = encode(key.sign(cbor(["Signature1", header, b"", body]), ec.ECDSA(hashes.SHA384())))
    envelope = cbor([header, unprotected or {}, body, signature])
    return b"\xd2" + envelope if tag else envelope
