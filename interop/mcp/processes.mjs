// Other programs: each in a group of its own, with a time limit, and none that outlives this one.

import { spawn } from 'node:child_process'

const groups = new Set()

const end = (pid) => {
  groups.delete(pid)
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // The whole group has ended.
  }
}

export const endAll = () => [...groups].forEach(end)

process.on('exit', endAll)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => process.exit(1))
}

/** Starts a program; `stop` ends it and whatever it started. */
export function start(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options, detached: true })
  // Without a pid it did not start, and an `error` event says why.
  if (child.pid !== undefined) groups.add(child.pid)
  const stop = () => child.pid !== undefined && end(child.pid)
  return { child, stop }
}

/** Runs a program to its end: what it wrote, and its exit code, `null` if it had to be ended. */
export async function run(command, args, { seconds, ...options }) {
  const { child, stop } = start(command, args, options)
  const written = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr']) {
    child[stream]?.setEncoding('utf8').on('data', (text) => (written[stream] += text))
  }
  let timer
  try {
    const code = await new Promise((resolve, reject) => {
      timer = setTimeout(stop, seconds * 1000)
      child.once('error', reject)
      child.once('close', resolve)
    })
    return { code, ...written }
  } finally {
    clearTimeout(timer)
    stop()
  }
}
