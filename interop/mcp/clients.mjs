// The MCP project's Python client: `clients.py` and `guards.py` have the checks, this has the Python
// for them.

import fs from 'node:fs'
import path from 'node:path'
import { run } from './processes.mjs'

/** How long installing may take, and how long the checks. */
const SECONDS = { install: 300, checks: 600 }

/** Runs the checks and counts their lines; says so if there is no Python to run it. */
export async function checks({ here, work, binary, words, count }) {
  const python = await environment(here, work)
  if (python === undefined) {
    console.log('skip  the Python client: python3 is not installed')
    return
  }
  const env = { ...process.env, WA_MCP: binary, PYTHONUNBUFFERED: '1' }
  for (const script of ['clients.py', 'guards.py']) {
    const args = [path.join(here, script), ...words]
    const done = await run(python, args, { seconds: SECONDS.checks, cwd: work, env })
    process.stdout.write(done.stdout)
    const failed = done.stdout.match(/^FAIL /gm)?.length ?? 0
    count.ok += done.stdout.match(/^ok /gm)?.length ?? 0
    count.failed += failed
    if (done.code !== 0 && failed === 0) {
      count.failed += 1
      console.log(`FAIL  ${script} ended early`)
    }
    if (done.code !== 0) process.stdout.write(done.stderr.slice(-8000).replace(/^/gm, '      ') + '\n')
  }
}

/** The Python of a virtual environment that has what requirements.txt names. */
async function environment(here, work) {
  const folder = path.join(work, 'venv')
  const python = path.join(folder, 'bin/python')
  const requirements = path.join(here, 'requirements.txt')
  const wanted = fs.readFileSync(requirements, 'utf8')
  const stamp = path.join(folder, 'installed')
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === wanted) return python
  try {
    await run('python3', ['--version'], { seconds: 30 })
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
  fs.rmSync(folder, { recursive: true, force: true })
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements]
  for (const [command, args] of [['python3', ['-m', 'venv', folder]], [python, pip]]) {
    const done = await run(command, args, { seconds: SECONDS.install })
    if (done.code !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${done.stdout}${done.stderr}`)
  }
  fs.writeFileSync(stamp, wanted)
  return python
}
