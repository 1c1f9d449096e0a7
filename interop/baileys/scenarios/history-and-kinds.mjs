// The history a phone uploads for a new companion, and every kind of message it sends.

import { join } from 'node:path'
import { downloadMediaMessage } from 'baileys'
import { BaileysClient } from '../harness/client.mjs'
import { assert, until } from '../harness/wait.mjs'

export const name = 'history, and every kind of message from a phone'

const CHATS = 12
const MESSAGES_PER_CHAT = 400
/** How many messages of each chat the phone gives only to those who ask. */
const OLDER = 50
const RECEIVER = '15550001'
const SENDER = '15550002'

/** What Baileys has only a path of it takes from the one host it knows; here that is the simulation's. */
function redirectMedia(sim) {
	const known = 'https://mmg.whatsapp.net'
	const fetchAnywhere = globalThis.fetch
	globalThis.fetch = (url, ...rest) => fetchAnywhere(String(url).replace(known, sim.ready.media_url), ...rest)
}

export async function run({ sim, dir, step }) {
	redirectMedia(sim)
	await sim.addAccount(RECEIVER, 'Alice')
	await sim.addAccount(SENDER, 'Bob')
	const known = await sim.call('POST', `/accounts/${RECEIVER}/history`, {
		chats: CHATS,
		messages_per_chat: MESSAGES_PER_CHAT + OLDER,
		given: MESSAGES_PER_CHAT,
		seed: 7
	})
	const companion = new BaileysClient(sim, RECEIVER, join(dir, 'alice'), 'qr', { history: true })
	await companion.connect()
	await companion.ready()

	await takesHistory(companion, known)
	step(`Baileys takes a history of ${CHATS} chats with ${MESSAGES_PER_CHAT} messages each`)
	await until('every chunk to be acknowledged', async () => {
		const device = (await sim.stats()).devices[`${RECEIVER}:${companion.device}`]
		return device.hist_sync >= 5 && device.history_acknowledged.join() === '1,2,3,4,5'
	})
	step('it acknowledges every chunk')
	await asksForOlder(companion, known)
	step('it asks for what is older than a message, and gets it')

	const send = (kind, what) =>
		sim.call('POST', `/accounts/${SENDER}/messages`, { to: RECEIVER, [kind]: what })
	const received = async (kind, what) => {
		const { id } = await send(kind, what)
		return until(`Baileys to get the ${kind}`, () => companion.messages.find(({ key }) => key.id === id))
	}
	await getsFiles(received)
	step('Baileys gets a voice note, audio, video, document and sticker, byte for byte')
	await getsCards(received)
	step('Baileys gets a location, a contact and a poll')
	await getsAdditions(companion, send, received)
	step('Baileys gets a reply, a reaction, an edit and a deletion')
}

async function takesHistory(companion, known) {
	const messages = () => companion.history.flatMap(chunk => chunk.messages)
	const enough = () => messages().length >= CHATS * MESSAGES_PER_CHAT
	await until('the whole history', enough, 60_000)
	const ids = new Set(messages().map(({ key }) => key.id))
	assert(ids.size === CHATS * MESSAGES_PER_CHAT, `every message once, not ${ids.size} of ${messages().length}`)
	const chats = new Set(companion.history.flatMap(chunk => chunk.chats).map(({ id }) => id))
	assert(chats.size === CHATS, `every chat, not ${chats.size}`)
	assert(!ids.has(known.oldest.id), 'nothing that nobody asked for')
	for (const expected of [known.newest]) {
		const found = messages().find(({ key }) => key.id === expected.id)
		assert(found.message.conversation === expected.text, 'a known message says what it said')
		assert(found.key.remoteJid === expected.chat && found.key.fromMe === expected.from_me, 'where it was said')
		assert(Number(found.messageTimestamp) === expected.timestamp, 'when it was said')
	}
	const contacts = companion.history.flatMap(chunk => chunk.contacts)
	assert(contacts.some(({ id, notify }) => id === known.newest.chat && notify === known.newest.contact), 'a push name')
	const pn = await companion.socket.signalRepository.lidMapping.getPNForLID(known.newest.chat)
	assert(pn?.endsWith('@s.whatsapp.net'), 'the phone number of a contact who is named by LID')
}

async function asksForOlder(companion, known) {
	const time = ({ messageTimestamp }) => Number(messageTimestamp)
	const chat = known.newest.chat
	const there = companion.history.flatMap(chunk => chunk.messages).filter(({ key }) => key.remoteJid === chat)
	const oldest = there.reduce((one, other) => (time(one) < time(other) ? one : other))
	await companion.socket.fetchMessageHistory(OLDER, oldest.key, time(oldest))
	const ON_DEMAND = 6
	const isAnswer = ({ syncType }) => syncType === ON_DEMAND
	const { messages } = await until('the older messages', () => companion.history.find(isAnswer))
	assert(messages.length === OLDER, `all that are left, not ${messages.length}`)
	assert(messages.every(message => time(message) <= time(oldest)), 'all of them older')
	const last = messages.find(({ key }) => key.id === known.oldest.id)
	assert(last.message.conversation === known.oldest.text, 'back to the first one')
}

async function getsFiles(received) {
	const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, at) => (at * 7 + (at >> 8)) % 256))
	const base64 = bytes.toString('base64')
	const kinds = [
		['audio', { base64, seconds: 3, ptt: true }, m => m.audioMessage.ptt && m.audioMessage.seconds === 3],
		['audio', { base64, seconds: 4 }, m => !m.audioMessage.ptt && m.audioMessage.seconds === 4],
		['video', { base64, caption: 'it moves' }, m => m.videoMessage.caption === 'it moves'],
		[
			'document',
			{ base64, file_name: 'plan.pdf', mimetype: 'application/pdf' },
			m => m.documentMessage.fileName === 'plan.pdf' && m.documentMessage.mimetype === 'application/pdf'
		],
		['sticker', { base64 }, m => m.stickerMessage.mimetype === 'image/webp']
	]
	for (const [kind, what, holds] of kinds) {
		const message = await received(kind, what)
		assert(holds(message.message), `a ${kind} is what was sent`)
		assert(bytes.equals(await downloadMediaMessage(message, 'buffer', {})), `the bytes of a ${kind}`)
	}
}

async function getsCards(received) {
	const { locationMessage } = (await received('location', { latitude: 48.2, longitude: -16.4, name: 'Café' })).message
	assert(locationMessage.degreesLatitude === 48.2 && locationMessage.degreesLongitude === -16.4, 'a place')
	assert(locationMessage.name === 'Café', 'the name of a place')
	const vcard = 'BEGIN:VCARD\nVERSION:3.0\nFN:Carol\nEND:VCARD'
	const { contactMessage } = (await received('contact', { name: 'Carol', vcard })).message
	assert(contactMessage.displayName === 'Carol' && contactMessage.vcard === vcard, 'a contact')
	const poll = (await received('poll', { name: 'Tea?', options: ['yes', 'no'], selectable: 1 })).message
	assert(poll.pollCreationMessageV3.name === 'Tea?', 'the question of a poll')
	const options = poll.pollCreationMessageV3.options.map(({ optionName }) => optionName)
	assert(options.join() === 'yes,no', 'the options of a poll')
	assert(poll.messageContextInfo.messageSecret.length === 32, 'the secret for its votes')
}

async function getsAdditions(companion, send, received) {
	const first = await received('text', 'the first text')
	const id = first.key.id
	const reply = (await received('reply', { id, text: 'indeed' })).message.extendedTextMessage
	assert(reply.text === 'indeed' && reply.contextInfo.stanzaId === id, 'a reply to the text')
	assert(reply.contextInfo.quotedMessage.conversation === 'the first text', 'a reply quotes')

	await send('reaction', { id, emoji: '👍' })
	const { reaction } = await until('the reaction', () => companion.reactions.find(({ key }) => key.id === id))
	assert(reaction.text === '👍', 'a reaction')

	await send('edit', { id, text: 'the second text' })
	await until('the edit', () =>
		companion.updates.find(
			({ key, update }) => key.id === id && update.message?.editedMessage?.message?.conversation === 'the second text'
		)
	)
	await send('revoke', { id })
	await until('the deletion', () =>
		companion.updates.find(({ key, update }) => key.id === id && update.message === null)
	)
}
