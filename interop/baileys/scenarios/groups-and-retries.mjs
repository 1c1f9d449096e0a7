// A group with Baileys in it, damaged and lost messages, an unlinked device.

import { join } from 'node:path'
import { BaileysClient } from '../harness/client.mjs'
import { assert, until } from '../harness/wait.mjs'

export const name = 'groups, retries both ways, lost messages and unlinking'

export async function run({ sim, dir, step }) {
	await sim.addAccount('15550001', 'Alice')
	const bob = await sim.addAccount('15550002', 'Bob')
	await sim.addAccount('15550003', 'Carol')
	const companion = new BaileysClient(sim, '15550001', join(dir, 'alice'))
	await companion.connect()
	await companion.ready()

	const { jid: group } = await sim.createGroup('Friends', ['15550001', '15550002', '15550003'])
	await sim.send('15550002', group, 'phone to group')
	const seen = await companion.waitForText('phone to group')
	assert(seen.key.remoteJid === group, 'it is in the group')
	await sim.send('15550002', group, 'phone to group again')
	await companion.waitForText('phone to group again')
	step('a phone writes to the group twice, the second time without telling its key')

	const id = await companion.sendText(group, 'Baileys to group')
	for (const phone of ['15550001', '15550002', '15550003']) {
		await until(`${phone} to show the group message`, async () =>
			(await sim.messages(phone)).find(m => m.id === id && m.chat === group && m.text === 'Baileys to group')
		)
	}
	await until('receipts of the members', () => companion.confirmedBy(id).size >= 2)
	step('Baileys writes to the group, every phone shows it, the receipts come')

	await sim.setFaults({ corrupt: { count: 1 } })
	await sim.send('15550002', '15550001', 'damaged on its way')
	await companion.waitForText('damaged on its way')
	assert((await sim.stats()).devices['15550001:1'].retries >= 1, 'Baileys asked for it again')
	step('a damaged message comes after a retry receipt')

	await sim.setFaults({ corrupt: { count: 1 } })
	await sim.send('15550003', group, 'damaged in the group')
	await companion.waitForText('damaged in the group')
	step('a damaged group message comes after a retry receipt')

	await sim.setFaults({ unavailable: { count: 1 } })
	await sim.send('15550002', '15550001', 'without ciphertext')
	await companion.waitForText('without ciphertext')
	step('a message without ciphertext is asked of the phone')

	await sim.setFaults({ split: [1, 2, 3, 5, 8] })
	await sim.send('15550002', '15550001', 'in small pieces')
	await companion.waitForText('in small pieces')
	await sim.setFaults({})
	step('bytes in small pieces are put together')

	await sim.quiet()
	await sim.setFaults({ drop: { count: 1 } })
	await sim.send('15550002', '15550001', 'lost on its way')
	await sim.setFaults({})
	const last = await companion.sendText(bob.lid, 'still here')
	await companion.waitForStatus(last, 3)
	assert(companion.withText('lost on its way').length === 0, 'it is lost')
	await companion.stop()
	await companion.connect()
	await companion.ready()
	await companion.waitForText('lost on its way')
	step('a lost message comes after a reconnect')

	await sim.unlink('15550001', companion.device)
	await until('Baileys to be logged out', () => companion.closed === 401)
	step('an unlinked Baileys knows that it is')
}
