// The project's own client and Baileys, and the phones of both: texts each way with the delivery
// receipts seen on both sides, also after either side was away.

import { join } from 'node:path'
import { BaileysClient } from '../harness/client.mjs'
import { WaCli } from '../harness/wa-cli.mjs'
import { assert, until } from '../harness/wait.mjs'

export const name = 'wa-cli and Baileys write to each other'

const ALICE = '15550001'
const BOB = '15550002'
const CAROL = '15550003'

export async function run({ sim, dir, step }) {
	const alice = await sim.addAccount(ALICE, 'Alice')
	await sim.addAccount(BOB, 'Bob')
	await sim.addAccount(CAROL, 'Carol')

	const ours = new WaCli(sim, ALICE, join(dir, 'alice'))
	await ours.link()
	const theirs = new BaileysClient(sim, BOB, join(dir, 'bob'))
	await theirs.connect()
	await theirs.ready()
	step('wa-cli and Baileys are linked to their phones')

	const sent = await ours.must('send', `+${BOB}`, 'from wa-cli to Baileys')
	const got = await theirs.waitForText('from wa-cli to Baileys')
	assert(got.key.id === sent.id && !got.key.fromMe, 'it is the message that was sent')
	for (const phone of [ALICE, BOB]) {
		await until(`${phone} to show it`, async () => (await sim.messages(phone)).find(m => m.id === sent.id))
	}
	await ours.waitFor('to see its message delivered', BOB, m => m.id === sent.id && m.status === 'delivered')
	step('wa-cli writes to Baileys, both phones show it, the delivery receipt comes')

	const answer = await theirs.sendText(alice.jid, 'from Baileys to wa-cli')
	await ours.waitFor('to get the answer', BOB, m => m.id === answer && m.text === 'from Baileys to wa-cli')
	await theirs.waitForStatus(answer, 3)
	step('Baileys writes to wa-cli, the delivery receipt comes')

	const { id: toBoth } = await sim.send(CAROL, ALICE, 'from a phone to wa-cli')
	await sim.send(CAROL, BOB, 'from a phone to Baileys')
	await ours.waitFor('to get it from the phone', CAROL, m => m.id === toBoth)
	await theirs.waitForText('from a phone to Baileys')
	step('a phone writes to both')

	const own = await sim.send(ALICE, BOB, 'from the own phone')
	const copy = await ours.waitFor('to show what its phone sent', BOB, m => m.id === own.id)
	assert(copy.from_me && copy.text === 'from the own phone', 'it is shown as sent')
	step('what the own phone sends is shown')

	await theirs.stop()
	const waiting = await ours.must('send', BOB, 'while Baileys was away')
	await theirs.connect()
	await theirs.ready()
	await theirs.waitForText('while Baileys was away')
	await theirs.waitForText('from the own phone')
	await ours.waitFor('to see it delivered late', BOB, m => m.id === waiting.id && m.status === 'delivered')
	step('Baileys was away and gets what it missed')

	const missed = []
	for (let n = 1; n <= 20; n++) {
		missed.push(await theirs.sendText(alice.jid, `missed ${n}`))
	}
	await ours.waitFor('to get all it missed', BOB, m => m.id === missed.at(-1))
	const texts = (await ours.messages(BOB)).map(m => m.text).filter(text => text?.startsWith('missed'))
	assert(texts.join() === missed.map((_, n) => `missed ${n + 1}`).join(), `all twenty in order: ${texts}`)
	for (const id of missed) {
		await theirs.waitForStatus(id, 3)
	}
	step('wa-cli was away and gets all it missed, once and in order')

	await sim.setFaults({ corrupt: { count: 1 } })
	const damaged = await theirs.sendText(alice.jid, 'damaged on its way')
	await ours.waitFor('to get a damaged message', BOB, m => m.id === damaged && m.text === 'damaged on its way')
	step('a damaged message comes after a retry receipt of wa-cli')

	await sim.setFaults({ corrupt: { count: 1 } })
	await ours.must('send', BOB, 'damaged the other way')
	await until('Baileys to have its retry answered', async () => {
		await ours.messages(BOB)
		return theirs.withText('damaged the other way')[0]
	})
	step('a damaged message of wa-cli comes after a retry receipt of Baileys')

	const found = await ours.must('search', 'away')
	assert(found.hits.some(hit => hit.id === waiting.id), 'a word finds its message')
	step('a word finds its message in the archive')

	await ours.must('logout', '--yes')
	const { devices } = await sim.stats()
	assert(!(`${ALICE}:${ours.device}` in devices), 'the server knows the device no longer')
	const refused = await ours.run(['send', BOB, 'too late'])
	assert(refused.code === 4, `an unlinked wa-cli cannot send: ${refused.code}`)
	step('wa-cli unlinks itself')
	await theirs.stop()
}
