// Pictures both ways, by way of the media host.

import { join } from 'node:path'
import { downloadMediaMessage } from 'baileys'
import { BaileysClient } from '../harness/client.mjs'
import { assert, until } from '../harness/wait.mjs'

export const name = 'pictures by way of the media host'

/** One black pixel. */
const PICTURE = Buffer.from(
	'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
	'base64'
)

export async function run({ sim, dir, step }) {
	await sim.addAccount('15550001', 'Alice')
	const bob = await sim.addAccount('15550002', 'Bob')
	const companion = new BaileysClient(sim, '15550001', join(dir, 'alice'))
	await companion.connect()
	await companion.ready()

	await sim.call('POST', '/accounts/15550002/messages', {
		to: '15550001',
		image: { base64: PICTURE.toString('base64'), caption: 'from a phone' }
	})
	const message = await until('the picture', () =>
		companion.messages.find(({ message }) => message?.imageMessage?.caption === 'from a phone')
	)
	const bytes = await downloadMediaMessage(message, 'buffer', {})
	assert(PICTURE.equals(bytes), 'what Baileys downloads and decrypts is what was sent')
	step('Baileys downloads a picture that a phone sent')

	const sent = await companion.socket.sendMessage(bob.lid, {
		image: PICTURE,
		caption: 'from Baileys',
		jpegThumbnail: PICTURE.toString('base64')
	})
	const shown = await until('the phone to show it', async () =>
		(await sim.messages('15550002')).find(({ id }) => id === sent.key.id)
	)
	assert(shown.kind === 'image' && shown.text === 'from Baileys', 'as a picture with its caption')
	const stored = await fetch(sim.ready.media_url + sent.message.imageMessage.directPath)
	const blob = Buffer.from(await stored.arrayBuffer())
	assert(stored.ok && blob.length > PICTURE.length, 'the media host has it')
	step('Baileys uploads a picture and sends it')
}
