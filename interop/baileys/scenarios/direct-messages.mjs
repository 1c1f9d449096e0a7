// Two Baileys companions of two accounts, and both phones: texts each way with their receipts, also
// after a restart that finds a backlog.

import { join } from 'node:path'
import { BaileysClient } from '../harness/client.mjs'
import { assert, until } from '../harness/wait.mjs'

export const name = 'direct messages, receipts and the backlog after a restart'

export async function run({ sim, dir, step }) {
	const alice = await sim.addAccount('15550001', 'Alice')
	const bob = await sim.addAccount('15550002', 'Bob')

	const companion = new BaileysClient(sim, '15550001', join(dir, 'alice'))
	await companion.connect()
	await companion.ready()
	assert(companion.restarts === 1, 'the server asked for one restart after pairing')
	step('linked by QR and logged in')

	await until('the first upload of prekeys', async () => {
		const stats = await sim.stats()
		return stats.devices['15550001:1'].prekeys_left >= 800
	})
	step('uploaded its prekeys')

	await sim.send('15550002', '15550001', 'from phone to Baileys')
	const first = await companion.waitForText('from phone to Baileys')
	assert(!first.key.fromMe, 'it is from the other side')
	assert(first.pushName === 'Bob', 'it carries the push name')
	step('a phone writes to Baileys')

	const id = await companion.sendText(bob.jid, 'from Baileys to phone')
	await until('the other phone to show it', async () =>
		(await sim.messages('15550002')).find(m => m.id === id && m.text === 'from Baileys to phone')
	)
	await until('the own phone to show it', async () =>
		(await sim.messages('15550001')).find(m => m.id === id && m.from_me)
	)
	await companion.waitForStatus(id, 3)
	step('Baileys writes to a phone, both phones show it, the delivery receipt comes')

	const lidId = await companion.sendText(bob.lid, 'from Baileys by LID')
	await until('the message by LID', async () =>
		(await sim.messages('15550002')).find(m => m.id === lidId)
	)
	await companion.waitForStatus(lidId, 3)
	step('Baileys writes to a LID')

	await sim.call('POST', '/accounts/15550002/read', { chat: alice.jid })
	await companion.waitForStatus(id, 4)
	step('the read receipt comes')

	const own = await sim.send('15550001', '15550002', 'from the own phone')
	const copy = await companion.waitForText('from the own phone')
	assert(copy.key.fromMe, 'what the own phone sent is shown as sent')
	assert(copy.key.id === own.id, 'under the id it was sent with')
	step('what the own phone sends is shown')

	const other = new BaileysClient(sim, '15550002', join(dir, 'bob'))
	await other.connect()
	await other.ready()
	step('a second Baileys is linked to the other account')

	const across = await companion.sendText(bob.jid, 'Baileys to Baileys')
	await other.waitForText('Baileys to Baileys')
	await companion.waitForStatus(across, 3)
	const answer = await other.sendText(alice.jid, 'and back')
	await companion.waitForText('and back')
	await other.waitForStatus(answer, 3)
	step('two Baileys write to each other')

	await companion.stop()
	for (let n = 1; n <= 30; n++) {
		await sim.send('15550002', '15550001', `missed ${n}`)
	}
	const missed = await other.sendText(alice.jid, 'missed from Baileys')
	const before = companion.messages.length
	await companion.connect()
	await companion.ready()
	await companion.waitForText('missed from Baileys')
	const texts = companion.messages
		.slice(before)
		.map(({ message }) => message?.conversation ?? message?.extendedTextMessage?.text)
		.filter(text => text?.startsWith('missed'))
	const expected = [...Array.from({ length: 30 }, (_, n) => `missed ${n + 1}`), 'missed from Baileys']
	assert(JSON.stringify(texts) === JSON.stringify(expected), `the backlog comes once and in order, not ${texts}`)
	await until('the delivery receipt for what was missed', () =>
		other.updates.some(({ key, update }) => key.id === missed && update.status >= 3)
	)
	step('a restart gets what was missed, once and in order')

	await until('every stanza to be confirmed', async () => {
		const { devices } = await sim.stats()
		return devices['15550001:1'].acks_owed === 0 && devices['15550002:1'].acks_owed === 0
	})
	step('nothing is left unconfirmed')

	await companion.stop()
	await other.stop()
}
