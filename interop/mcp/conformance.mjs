// The MCP project's conformance suite: on the server as it is, and on a build with its fixtures.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { run } from './processes.mjs'
import { withServer } from './server.mjs'

const SECONDS = 180

/** A released suite, and the one that knows the newer era of the protocol. */
const suites = {
  '0.1.16': { folder: '@modelcontextprotocol/conformance', args: ['--suite', 'all'] },
  'next 2025-11-25': {
    folder: 'conformance-next',
    args: ['--suite', 'all', '--spec-version', '2025-11-25']
  },
  'next 2026-07-28': { folder: 'conformance-next', args: ['--requirements', '2026-07-28'] }
}

/** What needs no fixture, and so has to pass on the server as it is. */
const bare = {
  '0.1.16': `server-initialize ping completion-complete tools-list server-sse-multiple-streams
    resources-list prompts-list dns-rebinding-protection`,
  'next 2025-11-25': `server-initialize server-session-lifecycle ping completion-complete tools-list
    server-sse-multiple-streams resources-list prompts-list dns-rebinding-protection`,
  'next 2026-07-28': `completion-complete tools-list server-sse-multiple-streams resources-list
    sep-2164-resource-not-found prompts-list dns-rebinding-protection caching
    input-required-result-unsupported-methods http-header-validation`
}

/** Makes the checks: every suite on both servers. */
export async function checks({ node, here, work, binary, fixtures, check }) {
  const failing = expectedFailures(path.join(here, 'expected-failures.yml'))
  for (const suite of Object.keys(suites)) {
    const scenarios = bare[suite].split(/\s+/)
    await judge(suite, 'as it is', binary, (found) => scenarios.map((name) => [name, found.get(name), true]))
  }
  const seen = new Set()
  for (const suite of Object.keys(suites)) {
    await judge(suite, 'fixtures', fixtures, (found) =>
      [...found].map(([name, outcome]) => {
        seen.add(name)
        return [name, outcome, !failing.has(name)]
      })
    )
  }
  await check('conformance expected failures are all of scenarios there are', () => {
    assert.deepEqual([...failing].filter((name) => !seen.has(name)), [])
  })

  /** Runs a suite, and makes a check of each scenario. */
  async function judge(suite, which, server, wanted) {
    const title = `conformance ${suite}, ${which}`
    let found
    await check(`${title}: the suite ran`, async () => {
      found = await outcomes(suite, server)
    })
    for (const [name, outcome, passes] of found === undefined ? [] : wanted(found)) {
      const unless = passes ? '' : ' (expected to fail)'
      await check(`${title}: ${name}${unless}`, () => {
        assert.ok(outcome, 'the suite has no such scenario')
        const { failed, warnings, told } = outcome
        if (passes) assert.equal(failed + warnings, 0, told)
        else assert.ok(failed > 0, 'it passes: take it out of expected-failures.yml')
      })
    }
  }

  /** The scenarios of a suite by name: how many checks failed, and what the suite told about it. */
  async function outcomes(suite, server) {
    const { folder, args } = suites[suite]
    const program = path.join(here, 'node_modules', folder, 'dist/index.js')
    const done = await withServer(server, work, ({ open }) =>
      run(node, [program, 'server', '--url', open, ...args], { seconds: SECONDS, cwd: work })
    )
    assert.notEqual(done.code, null, `it did not end within ${SECONDS} s`)
    const summary = done.stdout.split('=== SUMMARY ===')[1]
    assert.ok(summary, `no summary: ${done.stdout.slice(-2000)}${done.stderr.slice(-2000)}`)
    const line = /^[✓✗] ([a-z0-9-]+): (\d+) passed, (\d+) failed(?:, (\d+) warnings?)?.*$/gm
    const found = new Map()
    for (const [told, name, passed, failed, warnings] of summary.matchAll(line)) {
      // A scenario that does not apply checks nothing.
      if (Number(passed) + Number(failed) === 0) continue
      found.set(name, { failed: Number(failed), warnings: Number(warnings ?? 0), told })
    }
    assert.ok(found.size > 20, `only ${found.size} scenarios in the summary`)
    return found
  }
}

/** The names in the suite's own format: a list under `server:`, with comments. */
function expectedFailures(file) {
  const lines = fs.readFileSync(file, 'utf8').split('\n')
  return new Set(lines.flatMap((line) => line.match(/^\s+- ([a-z0-9-]+)/)?.[1] ?? []))
}
