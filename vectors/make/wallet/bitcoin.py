#!/usr/bin/env python3
"""Known answers for Bitcoin transfers: partially signed transactions built, signed and finished by embit.

usage: bitcoin.py > vectors/wallet/bitcoin.json

Signatures are made without grinding for a small r and, for Schnorr, with zeros for auxiliary randomness, so that they
are the same everywhere.
"""
import json
import sys

from embit import bip32, bip39, ec, finalizer, script
from embit.networks import NETWORKS
from embit.psbt import PSBT, DerivationPath
from embit.transaction import Transaction, TransactionInput, TransactionOutput
from embit.util import secp256k1

PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"
sign = ec.PrivateKey.sign
ec.PrivateKey.sign = lambda self, message, grind=True: sign(self, message, grind=False)
ec.PrivateKey.schnorr_sign = lambda self, message: ec.SchnorrSig(secp256k1.schnorrsig_sign(message, self._secret, None, bytes(32)))


class Account:
    def __init__(self, kind, network):
        self.kind, self.network = kind, NETWORKS["main" if network == "main" else "regtest"]
        self.root = bip32.HDKey.from_seed(bip39.mnemonic_to_seed(PHRASE), version=self.network["xprv"])
        self.prefix = f"m/{84 if kind == 'segwit' else 86}h/{0 if network == 'main' else 1}h/0h"

    def path(self, branch, index):
        return bip32.parse_path(f"{self.prefix}/{branch}/{index}")

    def key(self, branch, index):
        return self.root.derive(self.path(branch, index))

    def script(self, branch, index):
        make = script.p2wpkh if self.kind == "segwit" else script.p2tr
        return make(self.key(branch, index).to_public())

    def note(self, scope, branch, index):
        public = self.key(branch, index).get_public_key()
        origin = DerivationPath(self.root.my_fingerprint, self.path(branch, index))
        if self.kind == "segwit":
            scope.bip32_derivations[public] = origin
        else:
            internal = ec.PublicKey.from_xonly(public.xonly())
            scope.taproot_internal_key = internal
            scope.taproot_bip32_derivations[internal] = ([], origin)


def funding(n, outputs):
    """A transaction that pays `outputs`, from nowhere."""
    source = TransactionInput(bytes([n]) * 32, n)
    return Transaction(2, [source], [TransactionOutput(value, to) for to, value in outputs], 0)


def transfer(kind, network, coins, to, amount, fee, change=None, lock_time=0):
    account = Account(kind, network)
    previous = [funding(n + 1, [(script.p2wpkh(ec.PrivateKey(bytes([n + 1]) * 32)), 7), (account.script(branch, index), value)])
                for n, (branch, index, value) in enumerate(coins)]
    inputs = [TransactionInput(funded.txid(), 1, sequence=0xFFFFFFFD) for funded in previous]
    outputs = [TransactionOutput(amount, script.address_to_scriptpubkey(to))]
    rest = sum(value for _, _, value in coins) - amount - fee
    if change is not None:
        outputs.insert(0, TransactionOutput(rest, account.script(1, change)))
    else:
        assert rest == 0
    psbt = PSBT(Transaction(2, inputs, outputs, lock_time))
    for scope, funded, (branch, index, _) in zip(psbt.inputs, previous, coins):
        scope.non_witness_utxo, scope.witness_utxo = funded, funded.vout[1]
        account.note(scope, branch, index)
    if change is not None:
        account.note(psbt.outputs[0], 1, change)
    unsigned, file = psbt.tx.serialize(), psbt.serialize()
    assert psbt.sign_with(account.root) == len(coins)
    signed = finalizer.finalize_psbt(psbt)
    weight = len(unsigned) * 3 + len(signed.serialize())
    return {"kind": kind, "network": network, "phrase": PHRASE, "psbt": file.hex(), "unsigned": unsigned.hex(),
            "signed": signed.serialize().hex(), "txid": signed.txid()[::-1].hex(), "vsize": (weight + 3) // 4,
            "to": script.address_to_scriptpubkey(to).address(account.network), "amount": amount, "fee": fee}


def address(n, make, network):
    return make(ec.PrivateKey(bytes([n]) * 32).get_public_key()).address(NETWORKS[network])


json.dump({"transfers": [
    transfer("segwit", "regtest", [(0, 0, 100_000), (1, 7, 50_000)], address(40, script.p2tr, "regtest"), 70_000, 321, 0),
    transfer("segwit", "main", [(0, 65535, 2_100_000_000_000_000 - 1)], address(41, script.p2pkh, "main"), 2_100_000_000_000_000 - 500, 499),
    transfer("segwit", "main", [(0, n, 1000 + n) for n in range(3)], address(42, script.p2wpkh, "main"), 2500, 400, 65535, 800_000),
    transfer("taproot", "regtest", [(0, 0, 100_000), (0, 1, 1)], address(43, script.p2wpkh, "regtest"), 99_000, 1001 - 600, 3),
    transfer("taproot", "main", [(1, 5, 10_000)], address(44, script.p2tr, "main"), 9_800, 200),
]}, sys.stdout, indent=1)
print()
