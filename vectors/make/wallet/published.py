#!/usr/bin/env python3
"""Copies the published test vectors of wallets out of the documents that publish them. Computes nothing.

usage: published.py BIPS MNEMONIC OUT   (git directories of bitcoin/bips and trezor/python-mnemonic; vectors/wallet)
"""
import json
import re
import subprocess
import sys

bips, mnemonic, out = sys.argv[1:]


def document(repository, path):
    return subprocess.run(["git", "-C", repository, "show", f"HEAD:{path}"], check=True, capture_output=True, text=True).stdout


def write(name, value):
    with open(f"{out}/{name}.json", "w") as file:
        json.dump(value, file, indent=1, ensure_ascii=False)
        file.write("\n")


def path(text):
    return text.strip().replace("<sub>H</sub>", "h")


def bip39():
    cases = json.loads(document(mnemonic, "vectors.json"))["english"]
    write("bip39", {"passphrase": "TREZOR", "cases": [dict(zip(("entropy", "phrase", "seed"), case)) for case in cases]})


def bip32():
    text = document(bips, "bip-0032.mediawiki")
    cases, seed = [], None
    for line in text[text.index("==Test Vectors=="):].splitlines():
        if found := re.match(r"Seed \(hex\): (\w+)", line):
            seed = found[1]
        elif line.startswith("* Chain "):
            cases.append({"seed": seed, "path": path(line[8:])})
        elif found := re.match(r"\*\* ext (pub|prv): (\w+)", line):
            cases[-1][found[1]] = found[2]
    invalid = re.findall(r"^\* (\w+) \((.*)\)$", text[text.index("===Test vector 5==="):], re.M)
    write("bip32", {"cases": cases, "invalid": [{"key": key, "reason": reason} for key, reason in invalid]})


def bech32():
    text = document(bips, "bip-0350.mediawiki")
    text = text[text.index("===Test vectors for v0-v16"):text.index("==Appendix: checksum design")]
    valid, invalid = text.split("The following list gives invalid")
    write("segwit-addresses", {
        "valid": [{"address": a, "script": s} for a, s in re.findall(r"<tt>(\w+)</tt>: <tt>(\w+)</tt>", valid)],
        "invalid": [{"address": a, "reason": r} for a, r in re.findall(r"<tt>(\w+)</tt>: (.*)", invalid)],
    })


def accounts():
    def fields(text, names):
        return {name: re.search(rf"^\s*{name}\s*= (.*?)\s*$", text, re.M)[1] for name in names}

    def section(name):
        text = document(bips, name)
        return text[text.index("==Test vectors=="):text.index("==Reference==")]
    wpkh, taproot, cases = section("bip-0084.mediawiki"), section("bip-0086.mediawiki"), []
    phrase = fields(wpkh, ["mnemonic"])["mnemonic"]
    for text, key in ((wpkh, "pubkey"), (taproot, "internal_key")):
        account = re.search(r"Account 0, root = m/(\d+)'.*?x?pub  ?= (\w+)\n\n", text, re.S)
        for part in text.split("// Account 0, ")[2:]:
            cases.append({"purpose": int(account[1]), "account": account[2],
                          "path": re.search(r"address = (m/\S+)", part)[1].replace("'", "h"),
                          "key": fields(part, [key])[key], "address": fields(part, ["address"])["address"]})
    write("accounts", {"phrase": phrase, "cases": cases})


def descriptors():
    text = document(bips, "bip-0380.mediawiki")
    text = text[text.index("==Test Vectors=="):text.index("==Backwards Compatibility==")]
    checksums, keys = text.split("The following tests cover key expressions")
    valid, invalid = keys.split("Invalid expression:")

    def cases(part):
        return [{"what": what, "text": value} for what, value in re.findall(r"^\* (.*?):? <tt>(.*)</tt>$", part, re.M)]
    write("descriptors", {"checksums": cases(checksums), "keys": cases(valid), "invalid_keys": cases(invalid)})


def bip340():
    lines = [line.split(",") for line in document(bips, "bip-0340/test-vectors.csv").splitlines()[1:]]
    names = ("secret", "public", "aux", "message", "signature", "result")
    write("bip340", {"cases": [dict(zip(names, (value.lower() for value in line[1:7]))) for line in lines]})


def copied(name, repository, path):
    write(name, json.loads(document(repository, path)))


bip39(), bip32(), bech32(), accounts(), descriptors(), bip340()
copied("bip341", bips, "bip-0341/wallet-test-vectors.json")
copied("bip322", bips, "bip-0322/basic-test-vectors.json")
