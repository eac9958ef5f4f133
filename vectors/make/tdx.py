#!/usr/bin/env python3
"""Makes vectors/evidence/made-tdx.json: TDX quotes and Intel's statements that break one rule each, correctly signed in
everything else.

usage: tdx.py > vectors/evidence/made-tdx.json      (Python standard library and PyPI `cryptography`)

Every run draws new keys and drops them, but for the one that signs documents: with it tests sign some of their own. The documents
differ, the verdicts do not. `cases.json` names the verdicts.
Layouts: Intel TDX DCAP Quoting Library API (quote), SGX PCK Certificate and CRL Profile, PCS API v4 (statements).
"""
import base64
import datetime
import hashlib
import json
import struct
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID, ObjectIdentifier

NOW = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.timezone.utc)
DAY, YEAR = datetime.timedelta(days=1), datetime.timedelta(days=365)
MRTD, DATA = b"\x11" * 48, b"\x22" * 64
FMSPC, PCE_ID, SVNS, PCE_SVN = "00806F050000", "0000", [2] * 16, 11
MODULE_SVNS = [6, 1, 3] + [0] * 13
QE_SIGNER = b"\x33" * 32
VENDOR = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")


def usage(sign=False, ca=False):
    return x509.KeyUsage(sign, False, False, False, False, ca, ca, False, False), True


class Key:
    """A P-256 key with a certificate."""
    def __init__(self, name, issuer=None, extensions=(), ca=None, serial=None, start=NOW - YEAR, end=NOW + YEAR, curve=ec.SECP256R1):
        self.key, self.serial = ec.generate_private_key(curve()), serial or x509.random_serial_number()
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = issuer or self
        builder = (x509.CertificateBuilder().subject_name(self.name).issuer_name(issuer.name).serial_number(self.serial)
                   .public_key(self.key.public_key()).not_valid_before(start).not_valid_after(end)
                   .add_extension(x509.BasicConstraints(ca is not None, ca if ca is not None and ca >= 0 else None), True)
                   .add_extension(*usage(sign=ca is None, ca=ca is not None)))
        for extension in extensions:
            builder = builder.add_extension(extension, False)
        self.certificate = builder.sign(issuer.key, hashes.SHA256())

    def pem(self):
        return self.certificate.public_bytes(Encoding.PEM).decode()

    def sign(self, message):
        r, s = decode_dss_signature(self.key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def revoking(self, *revoked, end=NOW + 30 * DAY, extension=None):
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.name).last_update(NOW - DAY).next_update(end)
        builder = builder.add_extension(x509.CRLNumber(1), False)
        for serial in revoked:
            builder = builder.add_revoked_certificate(x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(
                NOW - DAY).add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), False).build())
        if extension:
            builder = builder.add_extension(extension, True)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.DER).hex()


# ---- the platform's certificate ----
def der(tag, contents):
    length = len(contents)
    return bytes([tag]) + (bytes([length]) if length < 128 else bytes([0x82]) + length.to_bytes(2, "big")) + contents


def sequence(*items):
    return der(0x30, b"".join(items))


def integer(value):
    return der(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def named(arcs, value):
    return sequence(der(6, bytes.fromhex("2a864886f84d010d01") + bytes(arcs)), value)


def sgx(fmspc=FMSPC, svns=SVNS, pce_svn=PCE_SVN, without=None):
    tcb = [named([2, at], integer(svn)) for at, svn in enumerate(svns, 1)]
    tcb += [named([2, 17], integer(pce_svn)), named([2, 18], der(4, bytes(svns)))]
    members = {1: der(4, bytes(16)), 2: sequence(*tcb), 3: der(4, bytes.fromhex(PCE_ID)), 4: der(4, bytes.fromhex(fmspc))}
    members.pop(without, None)
    value = sequence(*(named([arc], value) for arc, value in members.items()))
    return x509.UnrecognizedExtension(ObjectIdentifier("1.2.840.113741.1.13.1"), value)


ROOT = Key("Vectors SGX Root CA", ca=1)
TWIN = Key("Vectors SGX Root CA", ca=1)
CA = Key("Vectors PCK Platform CA", ROOT, ca=0)
PCK = Key("Vectors PCK", CA, [sgx()])
SIGNER = Key("Vectors TCB Signing", ROOT)
QE_KEY = Key("quoting enclave's own, without a certificate")


# ---- the quote ----
def point(key):
    return key.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]


def body(attributes=1 << 28, svns=MODULE_SVNS, signer=bytes(48), module_attributes=0, service=None):
    # TEE_TCB_SVN, MRSEAM, its signer and attributes, the domain's attributes, XFAM, MRTD, config and owners, RTMRs, data.
    parts = [bytes(svns), bytes(48), signer, struct.pack("<QQQ", module_attributes, attributes, 0), MRTD, bytes(3 * 48),
             bytes(4 * 48), DATA]
    return b"".join(parts + ([bytes(16), service] if service is not None else []))


def enclave(signer=QE_SIGNER, product=2, svn=4, attributes=0x11, misc=0, data=b""):
    report = bytearray(384)
    struct.pack_into("<I", report, 16, misc)
    struct.pack_into("<QQ", report, 48, attributes, 0xe7)
    report[128:160] = signer
    struct.pack_into("<HH", report, 256, product, svn)
    report[320:320 + len(data)] = data
    return bytes(report)


def quote(version=4, of=None, qe=None, chain=None, platform=PCK, qe_data=b"q" * 32, binding=None, tail=b""):
    of, extra = body() if of is None else of, b""
    if version == 5:
        extra = struct.pack("<HI", 2 if len(of) == 584 else 3, len(of))
    signed = struct.pack("<HHI4s16s20s", version, 2, 0x81, bytes(4), VENDOR, bytes(20)) + extra + of
    named_key = hashlib.sha256(point(QE_KEY) + qe_data).digest()
    report = enclave(**(qe or {}), data=named_key if binding is None else binding)
    pem = "".join(key.pem() for key in chain or [platform, CA, ROOT]).encode() + tail
    certified = (report + platform.sign(report) + struct.pack("<H", len(qe_data)) + qe_data
                 + struct.pack("<HI", 5, len(pem)) + pem)
    data = QE_KEY.sign(signed) + point(QE_KEY) + struct.pack("<HI", 6, len(certified)) + certified
    return signed + struct.pack("<I", len(data)) + data


# ---- what Intel states ----
def level(status, **tcb):
    return {"tcb": tcb, "tcbDate": "2026-01-01T00:00:00Z", "tcbStatus": status}


def firmware(status="UpToDate", sgx=SVNS, pce=PCE_SVN, tdx=(5, 0, 2)):
    parts = lambda svns: [{"svn": svn} for svn in list(svns) + [0] * (16 - len(svns))]
    return level(status, sgxtcbcomponents=parts(sgx), pcesvn=pce, tdxtcbcomponents=parts(tdx))


def module(levels=None, **more):
    own = {"mrsigner": "00" * 48, "attributes": "00" * 8, "attributesMask": "FF" * 8} | more
    return own if levels is None else {"id": "TDX_01"} | own | {"tcbLevels": levels}


def stated(document, start="2026-11-20T00:00:00Z", end="2026-12-20T00:00:00Z"):
    return json.dumps(document | {"issueDate": start, "nextUpdate": end, "tcbEvaluationDataNumber": 17}, separators=(",", ":"))


def tcb_info(levels=None, modules=None, own=None, **more):
    return {"id": "TDX", "version": 3, "fmspc": FMSPC, "pceId": PCE_ID, "tcbType": 0, "tdxModule": own or module(),
            "tdxModuleIdentities": [module([level("UpToDate", isvsvn=4)])] if modules is None else modules,
            "tcbLevels": [firmware()] if levels is None else levels} | more


def identity(levels=None, **more):
    return {"id": "TD_QE", "version": 2, "miscselect": "00000000", "miscselectMask": "FFFFFFFF",
            "attributes": "11000000000000000000000000000000", "attributesMask": "FBFFFFFFFFFFFFFF0000000000000000",
            "mrsigner": QE_SIGNER.hex().upper(), "isvprodid": 2,
            "tcbLevels": [level("UpToDate", isvsvn=4)] if levels is None else levels} | more


def collateral(tcb=None, qe=None, root_list=None, platform_list=None, signer=SIGNER, signs=None, tcb_times=(), qe_times=(), **replaced):
    tcb, qe = stated(tcb or tcb_info(), *tcb_times), stated(qe or identity(), *qe_times)
    chain, signs = signer.pem() + ROOT.pem(), signs or signer
    parts = {"pck_crl_issuer_chain": CA.pem() + ROOT.pem(), "root_ca_crl": root_list or ROOT.revoking(),
             "pck_crl": platform_list or CA.revoking(12345), "tcb_info_issuer_chain": chain, "tcb_info": tcb,
             "tcb_info_signature": signs.sign(tcb.encode()).hex(), "qe_identity_issuer_chain": chain, "qe_identity": qe,
             "qe_identity_signature": signs.sign(qe.encode()).hex()}
    return json.dumps({name: part for name, part in (parts | replaced).items() if part is not None}).encode()


STATUSES = ["UpToDate", "SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded", "OutOfDate",
            "OutOfDateConfigurationNeeded", "Revoked", "Splendid"]
OTHER_CA = Key("Vectors PCK Processor CA", ROOT, ca=0)
documents = {
    "valid": quote(),
    "version-5": quote(5),
    "version-5-of-tdx-1.5": quote(5, body(service=bytes(48))),
    "chain-with-a-zero-byte": quote(tail=b"\0"),
    "debug": quote(of=body(attributes=1 << 28 | 1)),
    "untrusted": quote(of=body(attributes=1 << 28 | 1 << 4)),
    "migratable": quote(of=body(attributes=1 << 28 | 1 << 29)),
    "bound-to-a-service": quote(5, body(service=b"\1" + bytes(47))),
    "module-without-version": quote(of=body(svns=[6, 0, 3] + [0] * 13)),
    "module-of-another-signer": quote(of=body(signer=b"\1" * 48)),
    "module-with-attributes": quote(of=body(module_attributes=1)),
    "module-of-unknown-version": quote(of=body(svns=[6, 2, 3] + [0] * 13)),
    "module-that-is-old": quote(of=body(svns=[3, 1, 3] + [0] * 13)),
    "microcode-that-is-old": quote(of=body(svns=[6, 1, 1] + [0] * 13)),
    "enclave-of-another-signer": quote(qe={"signer": b"\4" * 32}),
    "enclave-of-another-product": quote(qe={"product": 3}),
    "enclave-in-debug": quote(qe={"attributes": 0x13}),
    "enclave-with-misc": quote(qe={"misc": 1}),
    "enclave-that-is-old": quote(qe={"svn": 3}),
    "enclave-names-another-key": quote(binding=bytes(32)),
    "enclave-says-more": quote(binding=hashlib.sha256(point(QE_KEY) + b"q" * 32).digest() + b"\1"),
    "enclave-without-data": quote(qe_data=b""),
    "chain-of-two": quote(chain=[PCK, CA]),
    "chain-of-four": quote(chain=[PCK, CA, ROOT, ROOT]),
    "chain-in-reverse": quote(chain=[ROOT, CA, PCK]),
    "chain-under-a-look-alike": quote(chain=[PCK, CA, TWIN]),
    "chain-of-another-authority": quote(chain=[PCK, OTHER_CA, ROOT]),
    "platform-is-an-authority": quote(platform=Key("Vectors PCK", CA, [sgx()], ca=-1)),
    "platform-expired": quote(platform=Key("Vectors PCK", CA, [sgx()], end=NOW - DAY)),
    "platform-without-extension": quote(platform=Key("Vectors PCK", CA)),
    "platform-without-family": quote(platform=Key("Vectors PCK", CA, [sgx(without=4)])),
    "platform-without-versions": quote(platform=Key("Vectors PCK", CA, [sgx(without=2)])),
    "platform-of-another-family": quote(platform=Key("Vectors PCK", CA, [sgx(fmspc="00806F050001")])),
    "platform-that-is-old": quote(platform=Key("Vectors PCK", CA, [sgx(svns=[2] * 15 + [1])])),
    "platform-with-old-pce": quote(platform=Key("Vectors PCK", CA, [sgx(pce_svn=10)])),
    "platform-with-large-versions": quote(platform=Key("Vectors PCK", CA, [sgx(svns=[200] * 16, pce_svn=40000)])),
    "revoked-platform": quote(platform=Key("Vectors PCK", CA, [sgx()], serial=4711)),
    "authority-with-p384": quote(platform=Key("Vectors PCK", CA, [sgx()]), chain=[PCK, Key("Vectors PCK Platform CA", ROOT, ca=0, curve=ec.SECP384R1), ROOT]),
}
ISSUING = x509.IssuingDistributionPoint(None, None, True, False, None, False, False)
statements = {
    "valid": collateral(),
    "revokes-4711": collateral(platform_list=CA.revoking(4711)),
    "revokes-the-authority": collateral(root_list=ROOT.revoking(CA.serial)),
    "revokes-the-signer": collateral(root_list=ROOT.revoking(SIGNER.serial)),
    "list-of-another-authority": collateral(platform_list=OTHER_CA.revoking()),
    "list-by-another-key": collateral(platform_list=Key("Vectors PCK Platform CA", ca=0).revoking()),
    "root-list-by-another-key": collateral(root_list=TWIN.revoking()),
    "list-that-is-over": collateral(platform_list=CA.revoking(end=NOW - DAY / 2)),
    "root-list-that-is-over": collateral(root_list=ROOT.revoking(end=NOW - DAY / 2)),
    "list-of-some": collateral(platform_list=CA.revoking(extension=ISSUING)),
    "signed-by-another-key": collateral(signs=QE_KEY),
    "signed-by-the-platform": collateral(signer=PCK),
    "signed-by-an-authority": collateral(signer=CA),
    "signer-expired": collateral(signer=Key("Vectors TCB Signing", ROOT, end=NOW - DAY)),
    "tcb-signature-of-63-bytes": collateral(tcb_info_signature="00" * 63),
    "tcb-is-over": collateral(tcb_times=("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z")),
    "tcb-is-not-yet": collateral(tcb_times=("2026-12-01T00:00:00Z", "2026-12-31T00:00:00Z")),
    "enclave-is-over": collateral(qe_times=("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z")),
    "time-of-another-form": collateral(tcb_times=("2026-11-20 00:00:00", "2026-12-20T00:00:00Z")),
    "tcb-of-sgx": collateral(tcb_info(id="SGX")),
    "tcb-of-another-version": collateral(tcb_info(version=2)),
    "tcb-of-another-family": collateral(tcb_info(fmspc="00806F050001")),
    "tcb-of-another-pce": collateral(tcb_info(pceId="0001")),
    "tcb-without-levels": collateral(tcb_info(levels=[])),
    "tcb-of-fifteen-parts": collateral(tcb_info(levels=[level("UpToDate", sgxtcbcomponents=[{"svn": 0}] * 15, pcesvn=0, tdxtcbcomponents=[{"svn": 0}] * 16)])),
    "tcb-second-level": collateral(tcb_info(levels=[firmware(sgx=[9] * 16), firmware("SWHardeningNeeded")])),
    "tcb-module-levels": collateral(tcb_info(modules=[module([level("UpToDate", isvsvn=7), level("OutOfDate", isvsvn=2)])])),
    "enclave-of-sgx": collateral(qe=identity(id="QE")),
    "enclave-level": collateral(qe=identity([level("UpToDate", isvsvn=5), level("ConfigurationNeeded", isvsvn=1)])),
    "without-a-part": collateral(qe_identity=None),
    "part-of-another-type": collateral(tcb_info_signature=7),
    "not-json": b"{",
    "empty": b"",
} | {"status-" + status: collateral(tcb_info([firmware(status)])) for status in STATUSES}

private = QE_KEY.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
text = lambda files: {name: base64.b64encode(data).decode() for name, data in files.items()}
root = lambda key: key.certificate.public_bytes(Encoding.DER)
json.dump({"source": "vectors/make/tdx.py", "roots": text({"root": root(ROOT), "twin": root(TWIN)}),
           "keys": text({"quoting-enclave": private}), "documents": text(documents), "collateral": text(statements)}, sys.stdout, indent=1)
print()
