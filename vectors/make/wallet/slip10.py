#!/usr/bin/env python3
"""Known answers for SLIP-10 derivation over Ed25519, with bip-utils.

usage: slip10.py > vectors/wallet/slip10.json     (the seeds and paths are those of SLIP-10's own test vectors)
"""
import json
import sys

from bip_utils import Bip32Slip10Ed25519, Bip39SeedGenerator
from solders.keypair import Keypair

SEEDS = ["000102030405060708090a0b0c0d0e0f",
         "fffcf9f6f3f0edeae7e4e1dedbd8d5d2cfccc9c6c3c0bdbab7b4b1aeaba8a5a29f9c999693908d8a8784817e7b7875726f6c696663605d5a5754514e4b484542"]
PATHS = ["m", "m/0h", "m/0h/1h", "m/0h/2147483647h/1h", "m/44h/501h/0h/0h", "m/0h/1h/2h/2h/1000000000h"]
PHRASE = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"


def case(seed, path):
    key = Bip32Slip10Ed25519.FromSeedAndPath(bytes.fromhex(seed), path)
    secret = key.PrivateKey().Raw().ToBytes()
    return {"seed": seed, "path": path, "chain_code": key.ChainCode().ToHex(), "private": secret.hex(),
            "public": key.PublicKey().RawCompressed().ToHex()[2:], "address": str(Keypair.from_seed(secret).pubkey())}


seeds = SEEDS + [Bip39SeedGenerator(PHRASE).Generate("").hex()]
json.dump({"cases": [case(seed, path) for seed in seeds for path in PATHS]}, sys.stdout, indent=1)
print()
