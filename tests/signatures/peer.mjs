// npm http-message-signatures: signs and verifies what it is told on standard input.
//
// usage: node peer.mjs < JOBS        a JSON array; the answers are another, in the same order
//   {do: "sign", algorithm, key, keyid, method, url, headers, body, covered, created, expires, nonce, tag}  -> {headers}
//   {do: "verify", algorithm, key, keyid, method, url, headers, body}                                       -> {verified}
// `key` is PKCS #8 or SubjectPublicKeyInfo in hexadecimal, `body` hexadecimal; times are seconds. The library knows nothing of
// bodies: the digest is made and compared here.
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { createSigner, createVerifier, httpbis } from 'http-message-signatures'

const digest = body => `sha-512=:${createHash('sha512').update(Buffer.from(body, 'hex')).digest('base64')}:`

async function sign(job) {
  const key = createPrivateKey({ key: Buffer.from(job.key, 'hex'), format: 'der', type: 'pkcs8' })
  const headers = { ...job.headers, ...(job.body ? { 'Content-Digest': digest(job.body) } : {}) }
  const config = {
    key: createSigner(key, job.algorithm, job.keyid),
    fields: job.covered,
    params: ['alg', 'keyid', 'created', 'expires', 'nonce', 'tag'],
    paramValues: { created: new Date(job.created * 1000), expires: new Date(job.expires * 1000), nonce: job.nonce, tag: job.tag },
  }
  return { headers: (await httpbis.signMessage(config, { method: job.method, url: job.url, headers })).headers }
}

async function verify(job) {
  const key = createPublicKey({ key: Buffer.from(job.key, 'hex'), format: 'der', type: 'spki' })
  const found = { id: job.keyid, algs: [job.algorithm], verify: createVerifier(key, job.algorithm) }
  const keyLookup = async ({ keyid }) => (keyid === job.keyid ? found : null)
  const message = { method: job.method, url: job.url, headers: job.headers }
  const verified = await httpbis.verifyMessage({ keyLookup, requiredParams: ['created', 'expires', 'nonce', 'tag'] }, message)
  const stated = job.headers['content-digest']
  const hash = createHash('sha256').update(Buffer.from(job.body, 'hex')).digest('base64')
  return { verified: verified === true && (stated === undefined || stated === `sha-256=:${hash}:`) }
}

const jobs = JSON.parse(await text(process.stdin))
const answers = []
for (const job of jobs) {
  answers.push(await (job.do === 'sign' ? sign(job) : verify(job).catch(error => ({ verified: false, why: String(error) }))))
}
console.log(JSON.stringify(answers))
