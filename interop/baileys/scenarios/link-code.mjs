// Linking by a code typed on the phone.

import { join } from 'node:path'
import { BaileysClient } from '../harness/client.mjs'
import { assert } from '../harness/wait.mjs'

export const name = 'linking by a code typed on the phone'

export async function run({ sim, dir, step }) {
	await sim.addAccount('15550001', 'Alice')
	await sim.addAccount('15550002', 'Bob')
	const companion = new BaileysClient(sim, '15550001', join(dir, 'alice'), 'code')
	await companion.connect()
	await companion.ready()
	assert(companion.restarts === 1, 'the server asked for one restart after pairing')
	step('linked by code and logged in')

	await sim.send('15550002', '15550001', 'hello')
	await companion.waitForText('hello')
	step('a phone writes to Baileys')
	await companion.stop()
}
