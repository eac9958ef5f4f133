#!/usr/bin/env python3
"""Writes vectors/evidence/cases.json: which verdict every implementation must reach, on which document, when.

usage: cases.py > vectors/evidence/cases.json      (Python standard library only)

The verdicts are written down here by hand; nothing of them is computed.
"""
import json
import sys

import cases_snp
import cases_tdx

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
MADE_AT = 1795348800000
TODAY = 1795366800000  # 2026-11-22T17:00:00Z
cases = []

BETA = "nitro/evervault-beta-valid.cose"
BETA_AT = 1665651482136
BETA_PCR0 = ("f4d48b81a460c9916d1e685119074bf24660afd3e34fae9fca0a0d28d9d55999"
             "36332687e6f66fc890ac8cf150142d8b")
BETA_NONCE_PREFIX = "cb3dc2eb76c0c1344adf10cc4868591e"
DSTACK = "nitro/dstack-20251225.nsm-response"
DSTACK_AT = 1766668537578
DSTACK_PCR0 = ("5cb702954321826d7939d6da829a940d787fcf32357beb8eae1ddf33c28c17d3"
               "6f3ac3ba6828fdf7edeed02889702da6")
DEV = "nitro/dev-signed-qemu.cose"
DEV_AT = 1795363191000
DEV_PCR0 = ("a48be3926359aa80aa5415ac4e9003ea94ee320a292f9991dc92bc394b42e329"
            "0301811fc832ac0be984a397d5503237")
DEV_ROOT = "roots/dev-root.der"
BETA_DEBUG, BETA_DEBUG_AT = "nitro/evervault-beta-debugmode.cose", 1665582606081
GA, GA_AT = "nitro/evervault-ga-valid.b64", 1695049410860
QEMU = "nitro/qemu-emulated-unsigned.cose"
ZERO = "00" * 48


def case(name, file, at, expect, code=None, **more):
    verdict = {"verdict": expect} | ({"code": code} if code else {})
    cases.append({"name": name, "file": file, "at": at} | more | {"expect": verdict})


def refused(name, file, at, code, **more):
    case(name, file, at, "refused", code, **more)


def pcr0(value):
    return [{"PCR0": value}]


# ---- recorded from real hardware ----
beta = {"measurements": pcr0(BETA_PCR0)}
case("a real document verifies at its own time", BETA, BETA_AT, "hardware", **beta)
case("a real document in a recorder's framing verifies at its own time", DSTACK, DSTACK_AT, "hardware",
     measurements=pcr0(DSTACK_PCR0))
case("one of several measurement sets is enough", BETA, BETA_AT, "hardware",
     measurements=[{"PCR0": "11" * 48}, {"PCR0": BETA_PCR0}])
case("unused registers are compared too", BETA, BETA_AT, "hardware",
     measurements=[{"PCR0": BETA_PCR0, "PCR5": ZERO}])
refused("a real document has expired today", BETA, TODAY, "expired", **beta)
refused("a real document in a recorder's framing has expired today", DSTACK, TODAY, "expired",
        measurements=pcr0(DSTACK_PCR0))
refused("a real document is not valid a day before", BETA, BETA_AT - DAY, "not_yet_valid", **beta)
case("four minutes after the evidence certificate are within the leeway", BETA, 1665662282000 + 4 * MINUTE, "hardware",
     **beta)
refused("six minutes after the evidence certificate are not", BETA, 1665662282000 + 6 * MINUTE, "expired", **beta)
refused("m01 no measurement is an empty policy", BETA, BETA_AT, "empty_policy", measurements=[])
refused("m01 an empty set among others is an empty policy", BETA, BETA_AT, "empty_policy",
        measurements=[{"PCR0": BETA_PCR0}, {}])
refused("m01 an empty policy is reported before anything else", QEMU, TODAY, "empty_policy", measurements=[])
refused("another measurement", BETA, BETA_AT, "measurement_mismatch", measurements=pcr0("11" * 48))
refused("one register of a set differs", BETA, BETA_AT, "measurement_mismatch",
        measurements=[{"PCR0": BETA_PCR0, "PCR1": "11" * 48}])
refused("a register that the document does not have", BETA, BETA_AT, "measurement_mismatch",
        measurements=[{"PCR0": BETA_PCR0, "PCR16": ZERO}])
refused("m02 a real debug enclave", BETA_DEBUG, BETA_DEBUG_AT, "debug", measurements=pcr0(ZERO))
refused("m02 a real debug enclave that upstream calls valid", GA, GA_AT, "debug", measurements=pcr0(ZERO))
refused("a debug enclave's document has expired today", GA, TODAY, "expired", measurements=pcr0(ZERO))
refused("m06 another nonce", BETA, BETA_AT, "nonce_mismatch", nonce="00" * 32, **beta)
refused("m06 the beginning of the nonce is not the nonce", BETA, BETA_AT, "nonce_mismatch", nonce=BETA_NONCE_PREFIX,
        **beta)
refused("m06 an empty nonce is not no nonce", BETA, BETA_AT, "nonce_mismatch", nonce="", **beta)
refused("m05 QEMU does not sign", QEMU, DEV_AT, "algorithm_not_allowed", measurements=pcr0(DEV_PCR0))
refused("m03 a look-alike of the vendor's root is pinned, the document is real", BETA, BETA_AT, "root_not_pinned",
        vendor_roots=["roots/fake-aws-root.der"], **beta)
refused("m03 a look-alike of the vendor's root leads the bundle", "made.json#aws-with-fake-root", BETA_AT,
        "root_not_pinned", **beta)
refused("m03 a look-alike leads the bundle and is pinned", "made.json#aws-with-fake-root", BETA_AT,
        "certificate_algorithm", vendor_roots=["roots/fake-aws-root.der"], **beta)
refused("no root is pinned", BETA, BETA_AT, "root_not_pinned", vendor_roots=[], **beta)
refused("another register in a real document", "made.json#aws-with-another-register", BETA_AT, "signature_invalid",
        measurements=pcr0("11" * 48))
refused("the signature of another real document", "made.json#aws-payload-with-another-signature", BETA_AT,
        "signature_invalid", **beta)
refused("the bundle of another real document", "made.json#aws-with-another-bundle", BETA_AT, "certificate_issuer",
        measurements=pcr0("11" * 48))

# ---- recorded documents, altered by a recipe ----
altered = [
    ("m04 the algorithm becomes another", {"flip_bit": 5 * 8 + 7}, "algorithm_not_allowed"),
    ("the first bit of the module", {"flip_bit": 23 * 8 + 7}, "signature_invalid"),
    ("the first bit of PCR0", {"flip_bit": 104 * 8}, "signature_invalid"),
    ("the last bit of the signature", {"flip_bit": 4654 * 8 - 1}, "signature_invalid"),
    ("the last byte is missing", {"truncate": 4653}, "malformed"),
    ("half is missing", {"truncate": 2327}, "malformed"),
    ("only the first byte", {"truncate": 1}, "malformed"),
    ("nothing", {"truncate": 0}, "malformed"),
    ("a byte follows", {"append": "00"}, "malformed"),
    ("the signature is zero", {"replace": {"at": 4558, "hex": "00" * 96}}, "signature_invalid"),
    ("an array of five members", {"replace": {"at": 0, "hex": "85"}}, "malformed"),
    ("m07 a payload of four gigabytes", {"replace": {"at": 7, "hex": "5affffffff"}}, "malformed"),
    ("m07 longer than any real document", {"append": "00" * 11731}, "document_too_long"),
]
for name, recipe, code in altered:
    refused(f"altered: {name}", BETA, BETA_AT, code, mutate=recipe, **beta)

# ---- simulated, recorded on an emulator ----
dev = {"measurements": pcr0(DEV_PCR0)}
case("a simulation is accepted where its root is named", DEV, DEV_AT, "simulated", dangerous_simulated=DEV_ROOT,
     nonce="0102030405060708", **dev)
refused("a simulation is refused by default", DEV, DEV_AT, "simulated_not_allowed", **dev)
refused("a simulation under another root than the named one", DEV, DEV_AT, "simulated_not_allowed",
        dangerous_simulated="made.json#simulation", **dev)
refused("a simulation's root pinned as a vendor's", DEV, DEV_AT, "simulation_under_vendor_root",
        vendor_roots=[DEV_ROOT], **dev)
refused("m01 a simulation needs a policy too", DEV, DEV_AT, "empty_policy", dangerous_simulated=DEV_ROOT,
        measurements=[])
refused("a simulation expires", DEV, DEV_AT + 2 * DAY, "expired", dangerous_simulated=DEV_ROOT, **dev)
refused("m19 a clock that is two days ahead, proven by the nonce", DEV, DEV_AT + 2 * DAY, "clock_skew",
        dangerous_simulated=DEV_ROOT, nonce="0102030405060708", **dev)
refused("m19 a clock that is six minutes behind, proven by the nonce", DEV, DEV_AT - 6 * MINUTE, "clock_skew",
        dangerous_simulated=DEV_ROOT, nonce="0102030405060708", **dev)
refused("m06 another nonce does not blame the clock", DEV, DEV_AT + 2 * DAY, "expired", dangerous_simulated=DEV_ROOT,
        nonce="0102030405060709", **dev)
refused("hardware does not become simulated by naming a root", BETA, TODAY, "expired", dangerous_simulated=DEV_ROOT,
        **beta)

# ---- made: everything right but one thing ----
made = {"measurements": pcr0("01" * 48), "vendor_roots": ["made.json#vendor"]}
for name in ("valid", "valid-tagged", "valid-indefinite-map", "valid-without-optional-members",
             "unknown-uncritical-extension"):
    case(f"made: {name}", f"made.json#{name}", MADE_AT + MINUTE, "hardware", **made)
case("made: valid with its nonce", "made.json#valid", MADE_AT + MINUTE, "hardware", nonce=bytes(range(32)).hex(),
     **made)
refused("made: a nonce is asked for and absent", "made.json#valid-without-optional-members", MADE_AT + MINUTE,
        "nonce_mismatch", nonce=bytes(range(32)).hex(), **made)
refused("made: valid, by default", "made.json#valid", MADE_AT + MINUTE, "root_not_pinned",
        measurements=pcr0("01" * 48))
refused("made: valid, vendor's root named as a simulation's", "made.json#valid", MADE_AT + MINUTE,
        "simulation_unmarked", measurements=pcr0("01" * 48), dangerous_simulated="made.json#vendor")
refused("m19 made: a clock an hour ahead, proven by the nonce", "made.json#valid", MADE_AT + HOUR, "clock_skew",
        nonce=bytes(range(32)).hex(), **made)
case("made: an hour later, nothing says that the clock is wrong", "made.json#valid", MADE_AT + HOUR, "hardware", **made)
refused("m03 made: look-alike-root pinned by name only", "made.json#look-alike-root", MADE_AT, "root_not_pinned", **made)
case("made: look-alike-root, if it is the one that is pinned", "made.json#look-alike-root", MADE_AT, "hardware",
     measurements=pcr0("01" * 48), vendor_roots=["made.json#look-alike"])
for prefix, name, code in [
    ("m03 ", "ca-without-basic-constraints", "not_an_authority"),
    ("m03 ", "ca-basic-constraints-not-critical", "not_an_authority"),
    ("m03 ", "ca-is-not-a-ca", "not_an_authority"),
    ("m03 ", "ca-without-key-usage", "key_usage"),
    ("m03 ", "ca-cannot-sign-certificates", "key_usage"),
    ("m03 ", "path-longer-than-allowed", "path_length"),
    ("m03 ", "leaf-is-a-ca", "leaf_is_an_authority"),
    ("m03 ", "leaf-without-key-usage", "key_usage"),
    ("m03 ", "leaf-cannot-sign", "key_usage"),
    ("m03 ", "leaf-can-sign-certificates", "key_usage"),
    ("m03 ", "leaf-is-the-root", "leaf_is_an_authority"),
    ("m03 ", "bundle-in-reverse", "root_not_pinned"),
    ("m03 ", "bundle-without-root", "root_not_pinned"),
    ("m03 ", "look-alike-intermediate", "certificate_signature"),
    ("", "bundle-without-intermediate", "certificate_issuer"),
    ("", "unknown-critical-extension", "unknown_critical_extension"),
    ("m16 ", "leaf-valid-for-ten-years", "certificate_lifetime"),
    ("m16 ", "leaf-valid-for-25-hours-and-a-second", "certificate_lifetime"),
    ("m04 ", "ca-signed-with-sha256", "certificate_algorithm"),
    ("m04 ", "leaf-key-is-p256", "certificate_algorithm"),
    ("", "leaf-names-another-issuer", "certificate_issuer"),
    ("", "leaf-signed-by-another-key", "certificate_signature"),
    ("m05 ", "document-signed-by-another-key", "signature_invalid"),
    ("m05 ", "document-signed-by-the-intermediate", "signature_invalid"),
    ("m05 ", "signature-zero", "signature_invalid"),
    ("m09 ", "re-encoded-payload", "signature_invalid"),
    ("m04 ", "signature-in-der", "signature_format"),
    ("m04 ", "signature-empty", "signature_format"),
    ("m04 ", "algorithm-es256", "algorithm_not_allowed"),
    ("m04 ", "algorithm-es512", "algorithm_not_allowed"),
    ("m04 ", "algorithm-absent", "algorithm_not_allowed"),
    ("m04 ", "algorithm-in-a-longer-form", "algorithm_not_allowed"),
    ("m04 ", "algorithm-with-another-header", "algorithm_not_allowed"),
    ("m04 ", "unprotected-header", "malformed"),
    ("", "another-tag", "malformed"),
    ("", "member-twice", "malformed"),
    ("", "member-unknown", "malformed"),
    ("", "member-missing", "malformed"),
    ("", "bytes-after-the-payload", "malformed"),
    ("", "string-of-indefinite-length", "malformed"),
    ("", "digest-sha512", "malformed"),
    ("", "module-empty", "malformed"),
    ("", "timestamp-zero", "malformed"),
    ("", "timestamp-negative", "malformed"),
    ("", "register-of-32-bytes", "malformed"),
    ("", "register-32", "malformed"),
    ("", "register-twice", "malformed"),
    ("", "registers-empty", "malformed"),
    ("", "bundle-empty", "malformed"),
    ("m07 ", "bundle-of-nine", "malformed"),
    ("m07 ", "bundle-claims-four-billion", "malformed"),
    ("m07 ", "user-data-of-513-bytes", "malformed"),
    ("m07 ", "certificate-of-1025-bytes", "malformed"),
    ("", "certificate-is-not-der", "certificate_malformed"),
    ("", "timestamp-after-the-certificate", "timestamp_outside_certificate"),
    ("", "timestamp-before-the-certificate", "timestamp_outside_certificate"),
    ("m02 ", "debug", "debug"),
    ("m02 ", "debug-register-absent", "debug"),
    ("", "marked-under-vendor", "simulation_under_vendor_root"),
    ("", "marked-uncritically-under-vendor", "simulation_under_vendor_root"),
    ("", "organization-under-vendor", "simulation_under_vendor_root"),
    ("", "module-under-vendor", "simulation_under_vendor_root"),
]:
    refused(f"{prefix}made: {name}", f"made.json#{name}", MADE_AT, code, **made)
named = {"measurements": pcr0("01" * 48), "dangerous_simulated": "made.json#simulation"}
case("made: simulated", "made.json#simulated", MADE_AT, "simulated", **named)
refused("made: simulated, by default", "made.json#simulated", MADE_AT, "simulated_not_allowed",
        measurements=pcr0("01" * 48))
for name in ("simulated-leaf-unmarked", "simulated-leaf-mark-not-critical", "simulated-leaf-of-another-organization",
             "simulated-module-unmarked"):
    refused(f"made: {name}", f"made.json#{name}", MADE_AT, "simulation_unmarked", **named)
refused("made: simulated-root-unmarked", "made.json#simulated-root-unmarked", MADE_AT, "simulation_unmarked",
        measurements=pcr0("01" * 48), dangerous_simulated="made.json#simulation-unmarked")
refused("m16 made: simulated-root-long-lived", "made.json#simulated-root-long-lived", MADE_AT, "certificate_lifetime",
        measurements=pcr0("01" * 48), dangerous_simulated="made.json#simulation-long-lived")

cases_snp.add(case)
cases_tdx.add(case)

names = [entry["name"] for entry in cases]
assert len(names) == len(set(names))
json.dump({
    "source": "vectors/make/cases.py; documents: README.md",
    "rules": {
        "file": "below vectors/evidence; made.json#NAME is base64 in made.json under `documents` (roots: under `roots`)",
        "mutate": "applied to the file's bytes: flip_bit N (bit 7 - N mod 8 of byte N div 8), truncate N (keep N bytes), "
                  "append HEX, replace HEX at a byte",
        "at": "the verifier's time, milliseconds since 1970",
        "vendor_roots": "the pinned vendor roots; absent: the compiled-in ones",
        "dangerous_simulated": "the root of the one simulation to accept; absent: none",
        "nonce": "absent: not compared",
        "kind": "nitro where absent",
        "certificates": "of sev-snp: files of one certificate each, DER or PEM; {file, mutate} for an altered one",
        "collateral": "of tdx: the file of Intel's statements; absent: none. {file, mutate} for an altered one",
        "demands": "of sev-snp: the least version of each part of the firmware, the highest VMPL; of tdx: the least "
                   "evaluation number, and which statuses are accepted beside UpToDate; absent: 0, none",
        "nonce of sev-snp and tdx": "the report data, filled up with zeros",
        "defaults": "leeway 300 s",
    },
    "cases": cases,
}, sys.stdout, indent=1)
print()
