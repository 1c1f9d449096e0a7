// What the devices of an account keep in common, with Baileys checking every MAC: a chat silent,
// pinned and archived on the phone shows in Baileys, and the other way round; a second Baileys
// begins with a snapshot.

import { join } from 'node:path'
import { BaileysClient } from '../harness/client.mjs'
import { assert, until } from '../harness/wait.mjs'

export const name = 'app state: mute, pin and archive both ways, snapshot and all MACs'

const LATER = 1_900_000_000_000

/** What Baileys has only a path of it takes from the one host it knows; here that is the simulation's. */
function redirectMedia(sim) {
	const known = 'https://mmg.whatsapp.net'
	const fetchAnywhere = globalThis.fetch
	globalThis.fetch = (url, ...rest) => fetchAnywhere(String(url).replace(known, sim.ready.media_url), ...rest)
}

async function linked(sim, dir) {
	const client = new BaileysClient(sim, '15550001', dir)
	await client.connect()
	await client.ready()
	await until('the phone to share its keys', () => client.socket.authState.creds.myAppStateKeyId)
	return client
}

export async function run({ sim, dir, step }) {
	redirectMedia(sim)
	await sim.addAccount('15550001', 'Alice')
	const bob = await sim.addAccount('15550002', 'Bob')
	const change = body => sim.call('POST', '/accounts/15550001/app-state', body)
	const shown = () => sim.call('GET', `/accounts/15550001/chats/${encodeURIComponent(bob.lid)}`)
	const untilShown = (what, holds) => until(`the phone to show ${what}`, async () => holds(await shown()))

	const companion = await linked(sim, join(dir, 'first'))
	step('linked, and the phone shared its keys')

	const update = (what, holds) =>
		until(`Baileys to show ${what}`, () => companion.chats.find(chat => chat.id === bob.lid && holds(chat)))
	await sim.send('15550002', '15550001', 'hello')
	const last = await companion.waitForText('hello')

	await change({ mute: { chat: bob.lid, until: LATER } })
	await update('the mute', chat => Number(chat.muteEndTime) === LATER)
	await change({ pin: { chat: bob.lid, on: true } })
	await update('the pin', chat => chat.pinned > 0)
	await change({ archive: { chat: bob.lid, on: true } })
	await update('the archive', chat => chat.archived === true)
	await update('the pin taken away', chat => chat.pinned === null)
	step('what the phone sets shows in Baileys: mute, pin, archive')

	await change({ mute: { chat: bob.lid, until: null } })
	await update('the end of the mute', chat => chat.muteEndTime === null)
	await change({ archive: { chat: bob.lid, on: false } })
	await update('the chat back', chat => chat.archived === false)
	step('and so does its end')

	const lastMessages = [{ key: last.key, messageTimestamp: Number(last.messageTimestamp) }]
	await companion.socket.chatModify({ mute: LATER }, bob.lid)
	await untilShown('the mute', chat => chat.muted_until === LATER)
	await companion.socket.chatModify({ pin: true }, bob.lid)
	await untilShown('the pin', chat => chat.pinned)
	await companion.socket.chatModify({ archive: true, lastMessages }, bob.lid)
	await untilShown('the archive', chat => chat.archived)
	step('what Baileys sets shows on the phone: mute, pin, archive')

	await companion.socket.chatModify({ mute: null }, bob.lid)
	await untilShown('the end of the mute', chat => chat.muted_until === null)
	await companion.socket.chatModify({ archive: false, lastMessages }, bob.lid)
	await untilShown('the chat back', chat => !chat.archived)
	step('and so does its end')

	const second = await linked(sim, join(dir, 'second'))
	await second.socket.chatModify({ pin: false }, bob.lid)
	await untilShown('the pin taken away', chat => !chat.pinned)
	await until('the first Baileys to follow the second', () => companion.chats.at(-1)?.pinned === null)
	step('a second Baileys begins with a snapshot and writes on top of it')

	const counts = await sim.call('GET', '/accounts/15550001/app-state')
	assert(counts.refused === 0, 'the phone believed every patch')
	assert(counts.ignored === 0, 'the phone ignored no action')
	await companion.stop()
	await second.stop()
}
