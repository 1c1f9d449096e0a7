// Files of every common kind between Baileys and phones, both ways, byte for byte.

import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { downloadMediaMessage } from 'baileys'
import { BaileysClient } from '../harness/client.mjs'
import { assert, until } from '../harness/wait.mjs'

export const name = 'images, videos, voice notes, documents and stickers, byte for byte'

/** So many bytes that do not repeat. */
function noise(seed, length) {
	const blocks = []
	for (let n = 0; n * 32 < length; n += 1) {
		blocks.push(createHash('sha256').update(`${seed} ${n}`).digest())
	}
	return Buffer.concat(blocks).subarray(0, length)
}

const IMAGE = noise('image', 200_001)
const VIDEO = noise('video', 131_072)
const VOICE = Buffer.concat([Buffer.from('OggS'), noise('voice', 70_000)])
const DOCUMENT = noise('document', 65_536)
const STICKER = noise('sticker', 1_024)
const THUMBNAIL = noise('thumbnail', 100).toString('base64')

const FROM_PHONE = [
	['image', { image: { base64: IMAGE.toString('base64'), caption: 'look' } }, IMAGE],
	['video', { video: { base64: VIDEO.toString('base64'), seconds: 7 } }, VIDEO],
	['ptv', { video_note: { base64: VIDEO.toString('base64') } }, VIDEO],
	['video', { gif: { base64: VIDEO.toString('base64') } }, VIDEO],
	[
		'audio',
		{ audio: { base64: VOICE.toString('base64'), ptt: true, mimetype: 'audio/ogg; codecs=opus', seconds: 3 } },
		VOICE
	],
	[
		'document',
		{ document: { base64: DOCUMENT.toString('base64'), file_name: 'report.pdf', mimetype: 'application/pdf' } },
		DOCUMENT
	],
	['sticker', { sticker: { base64: STICKER.toString('base64') } }, STICKER]
]

const FROM_BAILEYS = [
	['image', { image: IMAGE, caption: 'look', jpegThumbnail: THUMBNAIL }, IMAGE],
	['video', { video: VIDEO, seconds: 7, jpegThumbnail: THUMBNAIL }, VIDEO],
	['video-note', { video: VIDEO, ptv: true, seconds: 7, jpegThumbnail: THUMBNAIL }, VIDEO],
	['gif', { video: VIDEO, gifPlayback: true, seconds: 7, jpegThumbnail: THUMBNAIL }, VIDEO],
	['voice-note', { audio: VOICE, ptt: true, seconds: 3, mimetype: 'audio/ogg; codecs=opus' }, VOICE],
	['document', { document: DOCUMENT, fileName: 'report.pdf', mimetype: 'application/pdf' }, DOCUMENT],
	['sticker', { sticker: STICKER }, STICKER]
]

export async function run({ sim, dir, step }) {
	await sim.addAccount('15550001', 'Alice')
	const bob = await sim.addAccount('15550002', 'Bob')
	const alice = new BaileysClient(sim, '15550001', join(dir, 'alice'))
	await alice.connect()
	await alice.ready()

	for (const [kind, body, bytes] of FROM_PHONE) {
		const { id } = await sim.call('POST', '/accounts/15550002/messages', { to: '15550001', ...body })
		const message = await until(`Baileys to get the ${kind}`, () =>
			alice.messages.find(({ key }) => key.id === id)
		)
		assert(message.message?.[`${kind}Message`], `it is a ${kind} to Baileys`)
		const got = await downloadMediaMessage(message, 'buffer', {})
		assert(bytes.equals(got), `the ${kind} that Baileys downloads is what was sent`)
	}
	step('Baileys downloads what phones send')

	for (const [kind, content, bytes] of FROM_BAILEYS) {
		const sent = await alice.socket.sendMessage(bob.lid, content)
		const shown = await until(`the phone to show the ${kind}`, async () =>
			(await sim.messages('15550002')).find(({ id }) => id === sent.key.id)
		)
		assert(shown.kind === kind, `it is a ${kind} to the phone, not ${shown.kind}`)
		const { base64 } = await sim.call('GET', `/accounts/15550002/media/${sent.key.id}`)
		assert(bytes.equals(Buffer.from(base64, 'base64')), `the ${kind} on the phone is what was sent`)
	}
	step('phones check and decrypt what Baileys uploads')

	const { id } = await sim.call('POST', '/accounts/15550002/messages', {
		to: '15550001',
		image: { base64: IMAGE.toString('base64') }
	})
	const message = await until('Baileys to get the picture', () =>
		alice.messages.find(({ key }) => key.id === id)
	)
	await sim.call('POST', '/faults', {
		media: [{ host: 0, on: 'download', chance: { count: 1 }, kind: { status: { status: 404 } } }]
	})
	const gone = await downloadMediaMessage(message, 'buffer', {}).then(() => false, () => true)
	assert(gone, 'the media host has it no more')
	const updated = await alice.socket.updateMediaMessage(message)
	const healed = await downloadMediaMessage(updated, 'buffer', {})
	assert(IMAGE.equals(healed), 'the picture comes by way of the phone')
	step('Baileys asks the phone for what the media host has no more')
}
