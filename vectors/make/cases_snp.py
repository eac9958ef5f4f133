"""Cases of SEV-SNP: which verdict every implementation must reach. Written by hand, like those of cases.py.

Reports carry no time: the certificate of a chip lives for seven years, that of a cloud's key for one.
"""

TODAY = 1795366800000  # 2026-11-22T17:00:00Z
BEFORE = 1600000000000  # 2020-09-13: before all of these
AFTER = 1893456000000 + 365 * 86_400_000  # 2030-12-31: after these chips' certificates
MINUTE = 60_000

MILAN, MILAN_VCEK = "snp/virtee-milan-report.hex", "snp/virtee-milan-vcek.der"
MILAN_M = "7a1e5c266c0108dbc9bb94fa926951320940915d0aafb42464bd88b579ea158d3e1a0dc39b2c60bd95b9c480cd81841f"
MILAN_DATA = ("d447b55d197491bfe15cf298f9de9986b7a7c4be2468b4f6e2d53b71d7c64581"
              "0b0f2cdfca0040433be063fc1a8293f0f3f8dae7b79fecb3d1cd82bd6a93ebfd")
MILAN_ENDS = 1901474623000  # 2030-04-03T19:23:43Z
OTHER, OTHER_VCEK = "snp/trustee-report.bin", "snp/trustee-vcek.der"
OTHER_M = "a1f3930413247bb38cfc171579ea3c12d5fe4901f0c792f63fd75d98f1ef827c23500644e0e692e6be917f9050d3d38c"
OTHER_NONCE = "ec6c52d7533cc2c4f45be7849cf112ab82b2009fe7bd43e71ed08c14400ad7e2"
GENOA, GENOA_VCEK = "snp/trustee-az-genoa-report.bin", "snp/trustee-az-genoa-vcek.pem"
GENOA_M = "f57dc09a507c6ecd82369bffb600f0003792f4d99bc26e985ec0c266fc34faf3706faf814c9e61065768a6ff917c89ae"
DEBUG, DEBUG_VCEK = "snp/gosev-milan-report.bin", "snp/gosev-milan-vcek.der"
DEBUG_M = "b07af9620f3b839b47996422ddec6058338951d984e312115131ea82705eaf5b6bdf8a9ece31a5a608eb0cf2e4872b01"
CLOUD, CLOUD_VLEK = "snp/trustee-vlek-report.bin", "snp/trustee-vlek.der"
CLOUD_M = "8922ebbdd00ec2c541f36a6e7a82a8773a7accb451ed67bc94e740dbe92c93c4e8c9af857f5ceeb5a493df2a570d7bf0"


def add(case):
    """`case(name, file, at, verdict, code=None, **more)` of cases.py."""
    def of(vcek, measurement, **more):
        return {"kind": "sev-snp", "certificates": [vcek], "measurements": [{"MEASUREMENT": measurement}]} | more

    def refused(name, file, at, code, **more):
        case("snp: " + name, file, at, "refused", code, **more)

    def accepted(name, file, at, **more):
        case("snp: " + name, file, at, "hardware", **more)

    milan = of(MILAN_VCEK, MILAN_M)
    other = of(OTHER_VCEK, OTHER_M)

    # ---- recorded from real hardware ----
    accepted("a real report of Milan, in hexadecimal", MILAN, TODAY, **milan)
    accepted("a real report of another Milan", OTHER, TODAY, **other)
    accepted("a real report of Genoa, its certificate in PEM", GENOA, TODAY, **of(GENOA_VCEK, GENOA_M))
    accepted("the report data is the nonce", MILAN, TODAY, nonce=MILAN_DATA, **milan)
    accepted("the report data is the nonce and zeros", OTHER, TODAY, nonce=OTHER_NONCE, **other)
    accepted("four minutes after the certificate are within the leeway", MILAN, MILAN_ENDS + 4 * MINUTE, **milan)
    refused("six minutes after the certificate are not", MILAN, MILAN_ENDS + 6 * MINUTE, "expired", **milan)
    refused("before the certificate", MILAN, BEFORE, "not_yet_valid", **milan)
    refused("long after the certificate", OTHER, AFTER, "expired", **other)
    refused("m02 a guest whose host may read it", DEBUG, TODAY, "debug", **of(DEBUG_VCEK, DEBUG_M))
    refused("a cloud's key without its authority's certificate", CLOUD, TODAY, "certificate_missing",
            **of(CLOUD_VLEK, CLOUD_M))

    # ---- the caller's policy ----
    refused("m01 no measurement", MILAN, TODAY, "empty_policy", **milan | {"measurements": []})
    refused("another measurement", MILAN, TODAY, "measurement_mismatch", **of(MILAN_VCEK, OTHER_M))
    refused("a register of another kind of TEE", MILAN, TODAY, "measurement_mismatch",
            **milan | {"measurements": [{"MRTD": MILAN_M}]})
    refused("m06 another nonce", OTHER, TODAY, "nonce_mismatch", nonce="00" * 32, **other)
    refused("m06 the beginning of the nonce is not the nonce", MILAN, TODAY, "nonce_mismatch", nonce=MILAN_DATA[:64],
            **milan)
    refused("m06 an empty nonce is not no nonce", OTHER, TODAY, "nonce_mismatch", nonce="", **other)
    accepted("firmware as old as the caller accepts", MILAN, TODAY,
             demands={"boot_loader": 3, "tee": 0, "snp": 8, "microcode": 115}, **milan)
    for part, least in {"boot_loader": 4, "tee": 1, "snp": 9, "microcode": 116, "fmc": 1}.items():
        refused(f"older firmware: {part}", MILAN, TODAY, "tcb_too_old", demands={part: least}, **milan)

    # ---- certificates ----
    refused("no certificate", MILAN, TODAY, "certificate_missing", **milan | {"certificates": []})
    refused("the certificate of another chip", MILAN, TODAY, "chip_mismatch", **of(OTHER_VCEK, MILAN_M))
    refused("the certificate of a cloud's key", MILAN, TODAY, "certificate_missing", **of(CLOUD_VLEK, MILAN_M))
    refused("a tampered certificate", OTHER, TODAY, "certificate_signature",
            **of("snp/trustee-vcek-tampered1.der", OTHER_M))
    refused("m03 no root is pinned", MILAN, TODAY, "root_not_pinned", vendor_roots=[], **milan)
    refused("m03 another vendor's root is pinned", MILAN, TODAY, "root_not_pinned",
            vendor_roots=["roots/aws-nitro-g1.der"], **milan)
    refused("an authority is no signer", MILAN, TODAY, "certificate_missing",
            **milan | {"certificates": ["roots/amd-ask-milan.der"]})
    refused("five certificates", MILAN, TODAY, "malformed", **milan | {"certificates": [MILAN_VCEK] * 5})
    refused("a certificate that is none", MILAN, TODAY, "certificate_malformed",
            **milan | {"certificates": [{"file": MILAN_VCEK, "mutate": {"truncate": 700}}]})
    refused("a bit of the certificate's key", MILAN, TODAY, "certificate_signature",
            **milan | {"certificates": [{"file": MILAN_VCEK, "mutate": {"flip_bit": 400 * 8}}]})

    # ---- altered reports ----
    for name, recipe, code in [
        ("a version that is not known", {"replace": {"at": 0, "hex": "01000000"}}, "malformed"),
        ("m04 another algorithm", {"replace": {"at": 0x34, "hex": "02000000"}}, "algorithm_not_allowed"),
        ("m02 debug is switched off in a copy", {"replace": {"at": 0x0a, "hex": "03"}}, "signature_invalid"),
        ("a bit that is always one", {"replace": {"at": 0x0a, "hex": "01"}}, "malformed"),
        ("migration is switched on", {"replace": {"at": 0x0a, "hex": "07"}}, "signature_invalid"),
        ("signed by no key", {"replace": {"at": 0x48, "hex": "1c000000"}}, "malformed"),
        ("a cloud's key is said to have signed", {"replace": {"at": 0x48, "hex": "04000000"}}, "chip_mismatch"),
        ("the first bit of the measurement", {"flip_bit": 0x90 * 8}, "signature_invalid"),
        ("the last bit of the report data", {"flip_bit": 0x90 * 8 - 1}, "signature_invalid"),
        ("another chip", {"flip_bit": 0x1a0 * 8}, "chip_mismatch"),
        ("a chip that hides", {"replace": {"at": 0x1a0, "hex": "00" * 64}}, "chip_mismatch"),
        ("newer firmware than the certificate's", {"replace": {"at": 0x180, "hex": "04"}}, "tcb_mismatch"),
        ("a reserved byte that is signed", {"flip_bit": 0x1e3 * 8}, "signature_invalid"),
        ("the last signed bit", {"flip_bit": 0x2a0 * 8 - 1}, "signature_invalid"),
        ("a bit of r", {"flip_bit": 0x2a0 * 8}, "signature_invalid"),
        ("m04 r is longer than the curve", {"replace": {"at": 0x2a0 + 48, "hex": "01"}}, "signature_format"),
        ("m04 s is longer than the curve", {"replace": {"at": 0x2a0 + 143, "hex": "01"}}, "signature_format"),
        ("a byte behind the signature that nothing covers", {"replace": {"at": 0x49f, "hex": "01"}}, "malformed"),
        ("the signature is zero", {"replace": {"at": 0x2a0, "hex": "00" * 144}}, "signature_invalid"),
        ("the last byte is missing", {"truncate": 1183}, "malformed"),
        ("nothing", {"truncate": 0}, "malformed"),
        ("a byte follows", {"append": "00"}, "document_too_long"),
    ]:
        base, more = (DEBUG, of(DEBUG_VCEK, DEBUG_M)) if "debug" in name else (OTHER, other)
        refused(f"altered: {name}", base, TODAY, code, mutate=recipe, **more)

    # ---- kinds are not mixed up ----
    refused("a report that is called a Nitro document", OTHER, TODAY, "malformed", **other | {"kind": "nitro"})
    refused("a Nitro document that is called a report", "nitro/evervault-beta-valid.cose", TODAY, "document_too_long",
            **other)

    # ---- made: correctly signed in everything else ----
    def made(name, certificate="vcek", **more):
        return ("made-snp.json#" + name, TODAY), of(
            "made-snp.json#" + certificate, "11" * 48, vendor_roots=["made-snp.json#ark"]) | {
                "certificates": [f"made-snp.json#{c}" for c in more.pop("bundle", [certificate, "ask"])]} | more

    def good(name, *args, **more):
        at, more = made(*args, **more)
        accepted(f"made: {name}", *at, **more)

    def bad(name, code, *args, **more):
        at, more = made(*args, **more)
        refused(f"made: {name}", *at, code, **more)

    good("a report of a chip", "valid")
    good("version 2", "version-2")
    good("version 5", "version-5")
    good("certificates in another order, with the root", "valid", bundle=["ark", "ask", "vcek"])
    good("the chip in an OCTET STRING", "valid", "vcek-chip-in-octet-string")
    good("a Turin", "turin", "vcek-turin")
    good("a Turin, its parts in their own places", "turin", "vcek-turin",
         demands={"fmc": 1, "boot_loader": 2, "tee": 3, "snp": 4, "microcode": 130})
    good("a cloud's key with its authority", "cloud", "vlek")
    good("less rights where the caller allows them", "vmpl-1", demands={"highest_vmpl": 1})
    bad("m02 the host may read the guest", "debug", "debug")
    bad("the guest may be moved", "migration_allowed", "migration")
    bad("less rights", "privilege_level", "vmpl-1")
    bad("hardly any rights", "privilege_level", "vmpl-max", demands={"highest_vmpl": 3})
    bad("an unknown version", "malformed", "version-6")
    bad("a hidden chip", "chip_mismatch", "hidden-chip")
    bad("m05 signed by another key", "signature_invalid", "by-another-key")
    bad("firmware that the certificate is not for", "tcb_mismatch", "newer-firmware")
    bad("a reserved byte of the firmware's version", "tcb_mismatch", "reserved-firmware-byte")
    bad("a cloud's certificate on a chip's report", "chip_mismatch", "valid", "vlek")
    bad("a chip's certificate on a cloud's report", "chip_mismatch", "cloud")
    bad("a Turin's certificate on a Milan's report", "chip_mismatch", "valid", "vcek-turin")
    bad("without the authority", "certificate_missing", "valid", bundle=["vcek"])
    bad("m03 the authority is not one", "not_an_authority", "valid", "vcek-by-no-authority",
        bundle=["vcek-by-no-authority", "not-ca"])
    bad("m03 a look-alike of the root", "certificate_signature", "valid", vendor_roots=["made-snp.json#twin"])
    bad("m03 the root signs a chip's certificate itself", "certificate_missing", "valid", "vcek-by-root",
        bundle=["vcek-by-root", "ark"])
    bad("m03 the leaf is an authority", "leaf_is_an_authority", "valid", "vcek-is-an-authority")
    bad("m03 the leaf's key is for something else", "key_usage", "valid", "vcek-for-encryption")
    bad("m03 an unknown critical extension", "unknown_critical_extension", "valid", "vcek-unknown-critical")
    bad("m04 a P-256 key", "certificate_missing", "valid", "vcek-p256")
    bad("m04 a certificate signed with PKCS #1", "certificate_algorithm", "valid", "vcek-pkcs1")
    bad("m04 a certificate signed with SHA-256", "certificate_algorithm", "valid", "vcek-sha256")
    bad("an unknown product", "certificate_malformed", "valid", "vcek-unknown-product")
    bad("no product", "certificate_malformed", "valid", "vcek-without-product")
    bad("a part of the firmware is not named", "certificate_malformed", "valid", "vcek-without-microcode")
    bad("a chip of nine bytes", "certificate_malformed", "valid", "vcek-chip-of-nine-bytes")
