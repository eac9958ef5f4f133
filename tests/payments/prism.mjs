// Prism between a client and a server: it refuses what a published OpenAPI document does not allow, in either direction.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'

export const json = (response, status, body) => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

export const listen = async server => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server.address().port
}

export const bodyOf = async request => {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

// Gives the port on loopback at which `document` is held between whoever calls it and `upstream`.
export const hold = async (document, upstream) => {
  const free = createServer()
  const port = await listen(free)
  free.close()
  await once(free, 'close')
  // It ends with this process even where this one is killed.
  const prism = spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath,
    'node_modules/@stoplight/prism-cli/dist/index.js', 'proxy', '--errors', '-h', '127.0.0.1', '-p', String(port),
    document, `http://127.0.0.1:${upstream}`,
  ], { stdio: ['ignore', 'pipe', 'inherit'] })
  process.on('exit', () => prism.kill())
  for await (const line of createInterface({ input: prism.stdout })) {
    if (line.includes('listening on')) break
  }
  prism.stdout.resume()
  return port
}

for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit())
