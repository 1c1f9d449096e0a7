// wa-mcp over HTTP, on the WhatsApp that --demo runs, for as long as a check takes.

import fs from 'node:fs'
import path from 'node:path'
import { once } from 'node:events'
import { proxy } from './proxy.mjs'
import { start } from './processes.mjs'

/** How long a server may take until it listens. */
const SECONDS = 60

/** Calls `check` with the server's address and token, and with that of a proxy that has the token. */
export async function withServer(binary, folder, check) {
  const own = fs.mkdtempSync(path.join(folder, 'server-'))
  const file = path.join(own, 'token')
  const args = ['--demo', '--http', '127.0.0.1:0', '--token-file', file]
  const { child, stop } = start(binary, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let front
  try {
    const url = await address(child)
    const token = fs.readFileSync(file, 'utf8').trim()
    front = await proxy(url, token)
    const open = `http://127.0.0.1:${front.address().port}${url.pathname}`
    return await check({ url: url.href, token, open })
  } finally {
    front?.close()
    front?.closeAllConnections()
    child.kill('SIGTERM')
    const ended = child.exitCode !== null || child.pid === undefined || once(child, 'exit')
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 5000).unref())])
    stop()
    fs.rmSync(own, { recursive: true, force: true })
  }
}

/** The address is the line that begins with it; what the server tells besides comes before or after. */
function address(child) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no address within ${SECONDS} s`)), SECONDS * 1000)
    const fail = (error) => {
      clearTimeout(timer)
      reject(error)
    }
    let told = ''
    child.stderr.setEncoding('utf8').on('data', (text) => {
      told += text
      const found = told.match(/^(http:\S+) .*\n/m)
      if (!found) return
      clearTimeout(timer)
      resolve(new URL(found[1]))
    })
    child.once('error', fail)
    child.once('exit', (code) => fail(new Error(`the server ended with ${code}: ${told}`)))
  })
}
