// Runs every scenario of `scenarios/`, each against a simulation of its own. Exit code 1 if one
// fails. `node run.mjs direct` runs those whose file name holds the word.

import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Sim } from './harness/sim.mjs'

const here = import.meta.dirname
const wanted = process.argv[2] ?? ''

async function runScenario(file) {
	const dir = await mkdtemp(join(tmpdir(), 'wa-interop-'))
	const sim = await Sim.start(dir)
	try {
		const child = spawn(process.execPath, [join(here, 'harness/scenario.mjs'), file, dir], {
			stdio: 'inherit',
			env: {
				...process.env,
				SIM_READY: JSON.stringify(sim.ready),
				NODE_EXTRA_CA_CERTS: sim.ready.media_ca
			}
		})
		const code = await new Promise((fulfil, reject) => {
			child.once('error', reject)
			child.once('exit', fulfil)
		})
		return code === 0
	} finally {
		await sim.stop()
		await rm(dir, { recursive: true, force: true })
	}
}

const folder = resolve(here, 'scenarios')
const files = (await readdir(folder)).filter(file => file.endsWith('.mjs') && file.includes(wanted)).sort()
if (files.length === 0) {
	console.error(`no scenario is called "${wanted}"`)
	process.exit(2)
}
let failed = 0
for (const file of files) {
	failed += (await runScenario(join(folder, file))) ? 0 : 1
}
console.log(failed === 0 ? `all ${files.length} scenarios hold` : `${failed} of ${files.length} scenarios failed`)
process.exit(failed === 0 ? 0 : 1)
