// One scenario, in a process of its own that trusts the simulation's media authority. `run.mjs`
// starts it with the simulation's ready line in the environment.

import { pathToFileURL } from 'node:url'
import { Sim } from './sim.mjs'

const SCENARIO_TIMEOUT_MS = 180_000

const [file, dir] = process.argv.slice(2)
const sim = new Sim(undefined, JSON.parse(process.env.SIM_READY))
const scenario = await import(pathToFileURL(file))
const began = Date.now()
const elapsed = () => `${String(Date.now() - began).padStart(6)} ms`
console.log(`# ${scenario.name}`)
setTimeout(() => fail(new Error(`not done after ${SCENARIO_TIMEOUT_MS} ms`)), SCENARIO_TIMEOUT_MS)
process.on('unhandledRejection', fail)

async function fail(error) {
	console.error(`FAIL ${elapsed()}  ${error.stack}`)
	console.error(JSON.stringify(await sim.stats().catch(() => 'no stats'), null, 1))
	process.exit(1)
}

try {
	await scenario.run({ sim, dir, step: what => console.log(`ok   ${elapsed()}  ${what}`) })
	process.exit(0)
} catch (error) {
	await fail(error)
}
