// What an account shows and sets, with Baileys: who is there and who writes, both ways; "about",
// picture, privacy, block list, numbers; a call turned down; a channel.

import { join } from 'node:path'
import { BaileysClient } from '../harness/client.mjs'
import { assert, until } from '../harness/wait.mjs'

export const name = 'presence, profile, privacy, block list, calls and channels'

// Baileys scales what it is given with whatever library there is, so it sends none here.
const JPEG = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3])

export async function run({ sim, dir, step }) {
	const alice = await sim.addAccount('15550001', 'Alice')
	const bob = await sim.addAccount('15550002', 'Bob')
	const companion = new BaileysClient(sim, '15550001', join(dir, 'alice'))
	await companion.connect()
	await companion.ready()
	const socket = companion.socket
	const presences = []
	const calls = []
	const blocked = []
	socket.ev.on('presence.update', update => presences.push(update))
	socket.ev.on('call', news => calls.push(...news))
	socket.ev.on('blocklist.update', update => blocked.push(update))

	const on = (phone, what, body) => sim.call('POST', `/accounts/${phone}/${what}`, body)
	const of = (phone, what) => sim.call('GET', `/accounts/${phone}/${what}`)

	await sim.send('15550002', '15550001', 'we know each other')
	await companion.waitForText('we know each other')

	const found = await socket.onWhatsApp('15550002', '15559999')
	assert(found.length === 1 && found[0].exists, 'one of two numbers is on WhatsApp')
	step('numbers are looked up')

	// The name comes with the app state, which is not what this is about.
	socket.authState.creds.me.name ??= 'Alice'
	await socket.sendPresenceUpdate('available')
	await socket.presenceSubscribe(bob.lid)
	await on('15550002', 'presence', { available: true })
	await until('the presence of the phone', () =>
		presences.some(({ presences }) => Object.values(presences).some(it => it.lastKnownPresence === 'available'))
	)
	await on('15550002', 'typing', { chat: alice.lid, state: 'recording' })
	await until('the phone to record', () =>
		presences.some(({ presences }) => Object.values(presences).some(it => it.lastKnownPresence === 'recording'))
	)
	step('Baileys sees a phone that is there and records')

	await socket.sendPresenceUpdate('composing', bob.jid)
	await until('the phone to see Baileys write', async () =>
		(await of('15550002', 'typing')).some(seen => seen.by === alice.jid && seen.state === 'composing')
	)
	step('a phone sees Baileys write')

	await socket.updateProfileStatus('at the harbour')
	assert((await of('15550001', 'profile')).about === 'at the harbour', 'the about text is set')
	await on('15550002', 'profile', { about: 'at sea', picture: JPEG.toString('base64') })
	const [status] = await socket.fetchStatus(bob.jid)
	assert(status.status.status === 'at sea', 'the about text of the other is read')
	const url = await socket.profilePictureUrl(bob.jid, 'image')
	const picture = Buffer.from(await (await fetch(url)).arrayBuffer())
	assert(picture.equals(JPEG), 'the picture is the one that was set')
	await on('15550001', 'profile', { picture: JPEG.toString('base64') })
	await socket.removeProfilePicture(socket.user.id)
	assert((await of('15550001', 'profile')).picture === null, 'the own picture is taken away')
	step('about texts and pictures')

	await socket.updateLastSeenPrivacy('none')
	assert((await of('15550001', 'profile')).privacy.last === 'none', 'the setting is changed')
	await on('15550001', 'privacy', { name: 'profile', value: 'contacts' })
	const privacy = await socket.fetchPrivacySettings(true)
	assert(privacy.last === 'none' && privacy.profile === 'contacts', 'the settings are read')
	step('privacy settings both ways')

	await socket.updateBlockStatus(bob.lid, 'block')
	assert((await of('15550001', 'blocked')).includes(bob.jid), 'the phone blocks as well')
	const list = await socket.fetchBlocklist()
	assert(list.includes(bob.lid), 'the list names them by LID')
	await on('15550001', 'blocked', { person: '15550002', blocked: false })
	await until('Baileys to hear of it', () => blocked.some(({ type }) => type === 'remove'))
	step('the block list both ways')

	const { id } = await on('15550002', 'calls', { to: '15550001', video: true })
	await until('the call to ring', () => calls.some(call => call.id === id && call.status === 'offer' && call.isVideo))
	await socket.rejectCall(id, bob.lid)
	await until('the phone to hear that it is turned down', async () =>
		(await of('15550002', 'calls')).some(call => call.id === id && call.word === 'reject')
	)
	step('a call rings and is turned down')

	const channel = await socket.newsletterCreate('Tides', 'twice a day')
	const info = await socket.newsletterMetadata('jid', channel.id)
	assert(info.id === channel.id, 'the channel is found')
	await socket.newsletterMute(channel.id)
	await socket.newsletterUnmute(channel.id)
	await socket.subscribeNewsletterUpdates(channel.id)
	step('a channel is made, found and muted')

	await companion.stop()
}
