// Signs a text as a Solana wallet does (`signMessage`): Ed25519 over its bytes, by @solana/kit and the engine's own crypto.
// usage: node sign.mjs SEED address | node sign.mjs SEED sign < text; SEED: 64 hexadecimal digits.
import { createKeyPairFromPrivateKeyBytes, getAddressFromPublicKey, getBase58Decoder, signBytes } from '@solana/kit'
import { readFileSync } from 'node:fs'

const [seed, what] = process.argv.slice(2)
const pair = await createKeyPairFromPrivateKeyBytes(Buffer.from(seed, 'hex'), true)
const signed = async () => getBase58Decoder().decode(await signBytes(pair.privateKey, readFileSync(0)))
console.log(what === 'address' ? await getAddressFromPublicKey(pair.publicKey) : await signed())
