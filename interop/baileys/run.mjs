// Runs every scenario of `scenarios/`, each against a simulation of its own. Exit code 1 if one
// fails. `node run.mjs direct` runs those whose file name holds the word.

import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Sim } from './harness/sim.mjs'

const SCENARIO_TIMEOUT_MS = 180_000
const folder = resolve(import.meta.dirname, 'scenarios')
const wanted = process.argv[2] ?? ''

async function runScenario(file) {
	const scenario = await import(join(folder, file))
	const dir = await mkdtemp(join(tmpdir(), 'wa-interop-'))
	const began = Date.now()
	const sim = await Sim.start(dir)
	console.log(`# ${scenario.name}`)
	const step = what => console.log(`ok   ${String(Date.now() - began).padStart(6)} ms  ${what}`)
	let timer
	const overtime = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(`not done after ${SCENARIO_TIMEOUT_MS} ms`)), SCENARIO_TIMEOUT_MS)
	})
	try {
		await Promise.race([scenario.run({ sim, dir, step }), overtime])
		return true
	} catch (error) {
		console.error(`FAIL ${String(Date.now() - began).padStart(6)} ms  ${error.stack}`)
		console.error(JSON.stringify(await sim.stats().catch(() => 'no stats'), null, 1))
		return false
	} finally {
		clearTimeout(timer)
		await sim.stop()
		await rm(dir, { recursive: true, force: true })
	}
}

const files = (await readdir(folder)).filter(file => file.endsWith('.mjs') && file.includes(wanted)).sort()
if (files.length === 0) {
	console.error(`no scenario is called "${wanted}"`)
	process.exit(2)
}
let failed = 0
for (const file of files) {
	failed += (await runScenario(file)) ? 0 : 1
}
console.log(failed === 0 ? `all ${files.length} scenarios hold` : `${failed} of ${files.length} scenarios failed`)
process.exit(failed === 0 ? 0 : 1)
