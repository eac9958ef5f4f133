"""Cases of TDX: which verdict every implementation must reach. Written by hand, like those of cases.py.

Quotes carry no time: what Intel says of a platform holds for thirty days.
"""

TODAY = 1795366800000  # 2026-11-22T17:00:00Z
MINUTE, DAY = 60_000, 86_400_000
QUOTE, COLLATERAL = "tdx/dcapqvl-tdx_quote", "tdx/dcapqvl-tdx_quote_collateral.json"
AT = 1750420800000  # 2025-06-20T12:00:00Z
ENDS = 1752919235000  # 2025-07-19T10:00:35Z: when the next list of revoked platforms is due
MRTD = "91eb2b44d141d4ece09f0c75c2c53d247a3c68edd7fafe8a3520c942a604a407de03ae6dc5f87f27428b2538873118b7"
DATA = ("9a9d48e7f6799642d3d1b34e1e5e1742d4bb02dd6ddd551862c1211d35c304f9"
        "eca3efdbb481601c163cf52493d6e44aed55d51ec39b7e518fadb92c2b523f20")
OLD, OLD_COLLATERAL = "tdx/dcapqvl-tdx_quote_outdated", "tdx/dcapqvl-tdx_quote_outdated_collateral.json"
OLD_AT = 1772366400000  # 2026-03-01T12:00:00Z
OLD_MRTD = "273828c46252fcbdd8ad2dd907130222b03466d52a2911d70c1a5950895d6bd1ae451d382d5a9b1b4c0ed0e5ae9a3dbd"
V5 = "tdx/gotdx-quote-v5.bin"
V5_MRTD = "7348651a34b2d2d3462822e3a750ec6110125f36757c78480bbfc69cc0d21fb001a1ced3ee19747dda8f750c3bc8f876"
BODY, SIGNED, DATA_AT = 48, 48 + 584, 48 + 520


def add(case):
    """`case(name, file, at, verdict, code=None, **more)` of cases.py."""
    def of(collateral, mrtd, **more):
        return {"kind": "tdx", "measurements": [{"MRTD": mrtd}]} | ({"collateral": collateral} if collateral else {}) | more

    def refused(name, file, at, code, **more):
        case("tdx: " + name, file, at, "refused", code, **more)

    good = of(COLLATERAL, MRTD)

    # ---- recorded from real hardware ----
    case("tdx: a real quote in its time", QUOTE, AT, "hardware", **good)
    case("tdx: the report data is the nonce", QUOTE, AT, "hardware", nonce=DATA, **good)
    case("tdx: all registers", QUOTE, AT, "hardware", **good | {"measurements": [
        {"MRTD": MRTD, "MRCONFIGID": "00" * 48, "MROWNER": "00" * 48, "MROWNERCONFIG": "00" * 48}]})
    case("tdx: four minutes after Intel's word are within the leeway", QUOTE, ENDS + 4 * MINUTE, "hardware", **good)
    refused("six minutes after Intel's word are not", QUOTE, ENDS + 6 * MINUTE, "expired", **good)
    refused("a real quote today", QUOTE, TODAY, "expired", **good)
    refused("before Intel's word", QUOTE, AT - 10 * DAY, "not_yet_valid", **good)
    refused("a real platform that is behind", OLD, OLD_AT, "tcb_too_old", **of(OLD_COLLATERAL, OLD_MRTD))
    refused("a real quote without Intel's word", V5, TODAY, "collateral_missing", **of(None, V5_MRTD))
    refused("an SGX quote", "sgx/dcapqvl-sgx_quote", AT, "malformed", **good)

    # ---- the caller's policy ----
    refused("m01 no measurement", QUOTE, AT, "empty_policy", **good | {"measurements": []})
    refused("another measurement", QUOTE, AT, "measurement_mismatch", **of(COLLATERAL, OLD_MRTD))
    refused("a register of another kind of TEE", QUOTE, AT, "measurement_mismatch",
            **good | {"measurements": [{"MEASUREMENT": MRTD}]})
    refused("one register differs", QUOTE, AT, "measurement_mismatch",
            **good | {"measurements": [{"MRTD": MRTD, "RTMR3": "11" * 48}]})
    refused("m06 another nonce", QUOTE, AT, "nonce_mismatch", nonce="00" * 32, **good)
    refused("m06 the beginning of the nonce is not the nonce", QUOTE, AT, "nonce_mismatch", nonce=DATA[:64], **good)
    case("tdx: Intel's count is as high as the caller wants", QUOTE, AT, "hardware", demands={"evaluation": 17}, **good)
    refused("Intel's count is too low for the caller", QUOTE, AT, "tcb_too_old", demands={"evaluation": 18}, **good)
    refused("m03 no root is pinned", QUOTE, AT, "root_not_pinned", vendor_roots=[], **good)
    refused("m03 a look-alike of the vendor's root is pinned", QUOTE, AT, "root_not_pinned",
            vendor_roots=["roots/fake-intel-root.der"], **good)
    refused("m03 another vendor's root is pinned", QUOTE, AT, "root_not_pinned",
            vendor_roots=["roots/aws-nitro-g1.der"], **good)

    # ---- altered ----
    for name, recipe, code in [
        ("another version", {"replace": {"at": 0, "hex": "0300"}}, "malformed"),
        ("version 5 with the body of version 4", {"replace": {"at": 0, "hex": "0500"}}, "malformed"),
        ("m04 another kind of key", {"replace": {"at": 2, "hex": "0300"}}, "algorithm_not_allowed"),
        ("called SGX", {"replace": {"at": 4, "hex": "00"}}, "malformed"),
        ("another vendor's quoting enclave", {"flip_bit": 12 * 8}, "quoting_enclave"),
        ("the vendor's own 20 bytes", {"flip_bit": 30 * 8}, "signature_invalid"),
        ("the module's version", {"flip_bit": BODY * 8}, "signature_invalid"),
        ("m02 debug", {"replace": {"at": BODY + 120, "hex": "01"}}, "signature_invalid"),
        ("the first bit of MRTD", {"flip_bit": (BODY + 136) * 8}, "signature_invalid"),
        ("the last bit of the report data", {"flip_bit": SIGNED * 8 - 1}, "signature_invalid"),
        ("a bit of the signature", {"flip_bit": (SIGNED + 4) * 8}, "signature_invalid"),
        ("m05 the signature is zero", {"replace": {"at": SIGNED + 4, "hex": "00" * 64}}, "signature_invalid"),
        ("another attestation key", {"flip_bit": (SIGNED + 4 + 64) * 8}, "signature_invalid"),
        ("a bit of the quoting enclave's report", {"flip_bit": (SIGNED + 4 + 128 + 6 + 64) * 8}, "signature_invalid"),
        ("a bit of the quoting enclave's signature", {"flip_bit": (SIGNED + 4 + 128 + 6 + 384) * 8}, "signature_invalid"),
        ("a bit of the quoting enclave's data", {"flip_bit": (SIGNED + 4 + 128 + 6 + 450) * 8}, "signature_invalid"),
        ("m07 signature data of four gigabytes", {"replace": {"at": SIGNED, "hex": "ffffffff"}}, "malformed"),
        ("m07 certificates of four gigabytes", {"replace": {"at": SIGNED + 4 + 130, "hex": "ffffffff"}}, "malformed"),
        ("half is missing", {"truncate": 2500}, "malformed"),
        ("a byte follows the padding", {"append": "01"}, "malformed"),
        ("nothing", {"truncate": 0}, "malformed"),
        ("m07 longer than any real quote", {"append": "00" * 16384}, "document_too_long"),
    ]:
        refused(f"altered: {name}", QUOTE, AT, code, mutate=recipe, **good)
    refused("a quote that is called a Nitro document", QUOTE, AT, "malformed", **good | {"kind": "nitro"})
    refused("a quote that is called a report", QUOTE, AT, "document_too_long", **good | {"kind": "sev-snp"})

    # ---- made: correctly signed in everything else ----
    def made(document, collateral, **more):
        more = {"vendor_roots": ["made-tdx.json#root"], "collateral": "made-tdx.json#" + collateral} | more
        return ("made-tdx.json#" + document, TODAY), of(more.pop("collateral"), "11" * 48, **more)

    def fine(name, document="valid", collateral="valid", **more):
        at, more = made(document, collateral, **more)
        case("tdx: made: " + name, *at, "hardware", **more)

    def bad(name, code, document="valid", collateral="valid", **more):
        at, more = made(document, collateral, **more)
        refused("made: " + name, *at, code, **more)

    fine("a quote")
    fine("version 5", "version-5")
    fine("version 5 of TDX 1.5", "version-5-of-tdx-1.5")
    fine("a chain that ends in a zero byte, as in C", "chain-with-a-zero-byte")
    fine("a module without a version", "module-without-version")
    fine("a quoting enclave without data", "enclave-without-data")
    fine("versions of two bytes", "platform-with-large-versions")
    for document in ("debug", "untrusted"):
        bad(f"m02 {document}", "debug", document)
    for document in ("migratable", "bound-to-a-service"):
        bad(document, "migration_allowed", document)
    for document in ("module-of-another-signer", "module-with-attributes", "module-of-unknown-version",
                     "platform-of-another-family"):
        bad(document, "collateral_mismatch", document)
    for document in ("module-that-is-old", "microcode-that-is-old", "enclave-that-is-old", "platform-that-is-old",
                     "platform-with-old-pce"):
        bad(document, "tcb_too_old", document)
    for document in ("enclave-of-another-signer", "enclave-of-another-product", "enclave-in-debug", "enclave-with-misc"):
        bad(document, "quoting_enclave", document)
    for document in ("enclave-names-another-key", "enclave-says-more"):
        bad("m05 " + document, "signature_invalid", document)
    for document in ("chain-of-two", "chain-of-four"):
        bad(document, "malformed", document)
    bad("m03 chain in reverse", "root_not_pinned", "chain-in-reverse")
    bad("m03 chain under a look-alike", "root_not_pinned", "chain-under-a-look-alike")
    bad("m03 chain under a look-alike that is pinned", "certificate_signature", "chain-under-a-look-alike",
        vendor_roots=["made-tdx.json#twin"])
    bad("m03 chain of another authority", "certificate_issuer", "chain-of-another-authority")
    bad("m03 platform is an authority", "leaf_is_an_authority", "platform-is-an-authority")
    bad("m04 an authority with another kind of key", "certificate_algorithm", "authority-with-p384")
    bad("a platform whose certificate has expired", "expired", "platform-expired")
    for document in ("platform-without-extension", "platform-without-family", "platform-without-versions"):
        bad(document, "certificate_malformed", document)
    bad("a platform that was revoked", "certificate_revoked", "revoked-platform", "revokes-4711")
    fine("a platform that another list does not name", "revoked-platform")
    for collateral in ("revokes-the-authority", "revokes-the-signer"):
        bad(collateral, "certificate_revoked", collateral=collateral)
    bad("a list of another authority", "certificate_issuer", collateral="list-of-another-authority")
    for collateral in ("list-by-another-key", "root-list-by-another-key"):
        bad(collateral, "certificate_signature", collateral=collateral)
    for collateral in ("list-that-is-over", "root-list-that-is-over", "signer-expired", "tcb-is-over", "enclave-is-over"):
        bad(collateral, "expired", collateral=collateral)
    bad("statements that are not valid yet", "not_yet_valid", collateral="tcb-is-not-yet")
    bad("a list of some certificates only", "unknown_critical_extension", collateral="list-of-some")
    bad("m05 statements signed by another key", "collateral_signature", collateral="signed-by-another-key")
    bad("m05 a signature of 63 bytes", "collateral_signature", collateral="tcb-signature-of-63-bytes")
    bad("m03 statements signed by a platform", "certificate_issuer", collateral="signed-by-the-platform")
    bad("m03 statements signed by an authority", "leaf_is_an_authority", collateral="signed-by-an-authority")
    for collateral in ("tcb-of-sgx", "tcb-of-another-version", "tcb-of-another-family", "tcb-of-another-pce",
                       "enclave-of-sgx"):
        bad(collateral, "collateral_mismatch", collateral=collateral)
    bad("no level", "tcb_too_old", collateral="tcb-without-levels")
    bad("the module is of a level that is out of date", "tcb_too_old", collateral="tcb-module-levels")
    for collateral in ("time-of-another-form", "tcb-of-fifteen-parts", "without-a-part", "part-of-another-type", "not-json",
                       "empty", "status-Splendid"):
        bad(collateral, "collateral_malformed", collateral=collateral)
    fine("up to date", collateral="status-UpToDate")
    for status in ("SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded"):
        bad(status, "tcb_status", collateral="status-" + status)
        fine(status + ", accepted", collateral="status-" + status, demands={"statuses": [status]})
    bad("another status than the accepted one", "tcb_status", collateral="status-ConfigurationNeeded",
        demands={"statuses": ["SWHardeningNeeded"]})
    for status in ("OutOfDate", "OutOfDateConfigurationNeeded", "Revoked"):
        bad(status + " is never accepted", "tcb_too_old", collateral="status-" + status, demands={"statuses": [status]})
    bad("the first level that is reached counts", "tcb_status", collateral="tcb-second-level")
    bad("the quoting enclave's level", "tcb_status", collateral="enclave-level")
