// Everything a conversation holds, between the project's own client and Baileys: a group, files,
// what is said about messages, polls, cards, the past of the phone, synced settings, healed retries.

import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decryptPollVote, downloadMediaMessage } from 'baileys'
import { BaileysClient } from '../harness/client.mjs'
import { WaCli } from '../harness/wa-cli.mjs'
import { assert, until } from '../harness/wait.mjs'

export const name = 'wa-cli and Baileys: everything a conversation holds'

const ALICE = '15550001'
const BOB = '15550002'
const CAROL = '15550003'

/** One black pixel. */
const PICTURE = Buffer.from(
	'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
	'base64'
)
const THUMBNAIL = PICTURE.toString('base64')
const VOICE = Buffer.concat([Buffer.from('OggS'), Buffer.alloc(3_000, 7)])
const DOCUMENT = Buffer.from(Array.from({ length: 70_000 }, (_, at) => (at * 7 + (at >> 8)) % 256))

/** What Baileys has only a path of it takes from the one host it knows; here that is the simulation's. */
function redirectMedia(sim) {
	const known = 'https://mmg.whatsapp.net'
	const fetchAnywhere = globalThis.fetch
	globalThis.fetch = (url, ...rest) => fetchAnywhere(String(url).replace(known, sim.ready.media_url), ...rest)
}

export async function run({ sim, dir, step }) {
	redirectMedia(sim)
	const alice = await sim.addAccount(ALICE, 'Alice')
	const bob = await sim.addAccount(BOB, 'Bob')
	await sim.addAccount(CAROL, 'Carol')
	const past = await sim.call('POST', `/accounts/${ALICE}/history`, { chats: 3, messages_per_chat: 20, seed: 3 })

	const ours = new WaCli(sim, ALICE, join(dir, 'alice'))
	await ours.linkByCode()
	const theirs = new BaileysClient(sim, BOB, join(dir, 'bob'))
	await theirs.connect()
	await theirs.ready()
	const scene = { sim, dir, ours, theirs, alice, bob }
	step('wa-cli is linked by a typed code, Baileys by a scanned one')

	await ours.must('sync')
	assert((await ours.must('status')).messages === 60, 'every message of the past')
	const newest = (await ours.must('messages', past.newest.chat)).at(-1)
	assert(newest.text === past.newest.text, 'a known message says what it said')
	step("wa-cli has its phone's past")

	const group = await inAGroup(scene, step)
	await files(scene, step)
	await additions(scene, step)
	await polls(scene, step)
	await cards(scene, step)
	await healed(scene, group)
	step('damaged messages of the group are healed on both sides')
	await settings(scene, step)
	await theirs.stop()
}

/** Until Baileys has a message under this id. */
const got = ({ theirs }, id) =>
	until(`Baileys to get ${id}`, () => theirs.messages.find(({ key, message }) => key.id === id && message))

async function inAGroup({ sim, ours, theirs }, step) {
	const made = await ours.must('groups', 'create', 'Interop', `+${BOB}`, `+${CAROL}`)
	const group = made.jid
	await ours.must('send', group, 'wa-cli to the group')
	const first = await theirs.waitForText('wa-cli to the group')
	assert(first.key.remoteJid === group, 'it is in the group')
	const answer = await theirs.sendText(group, 'Baileys to the group')
	await ours.waitFor('to read the group', group, m => m.id === answer && m.text === 'Baileys to the group')
	step('wa-cli makes a group with Baileys in it; both write, both read')

	await ours.must('groups', 'remove', group, `+${CAROL}`)
	const without = await ours.must('send', group, 'without Carol')
	await theirs.waitForText('without Carol')
	const reply = await theirs.sendText(group, 'also without Carol')
	await ours.waitFor('to read on', group, m => m.id === reply && m.text === 'also without Carol')
	const shown = await sim.messages(CAROL)
	assert(!shown.some(({ id }) => id === without.id || id === reply), 'Carol reads neither')
	step('a member is put out; the next messages are read by those who stay')
	return group
}

async function files(scene, step) {
	const { dir, ours, theirs, alice } = scene
	const kinds = [
		['image', PICTURE, 'dot.png', [], { image: PICTURE, caption: 'from Baileys', jpegThumbnail: THUMBNAIL }],
		[
			'voice-note',
			VOICE,
			'note.ogg',
			['--as', 'voice'],
			{ audio: VOICE, ptt: true, seconds: 3, mimetype: 'audio/ogg; codecs=opus' }
		],
		['document', DOCUMENT, 'plan.pdf', [], { document: DOCUMENT, fileName: 'plan.pdf', mimetype: 'application/pdf' }]
	]
	for (const [kind, bytes, file, options, content] of kinds) {
		const path = join(dir, file)
		await writeFile(path, bytes)
		const sent = await ours.must('send', BOB, '--file', path, ...options)
		const received = await got(scene, sent.id)
		assert(bytes.equals(await downloadMediaMessage(received, 'buffer', {})), `the bytes of a ${kind} of wa-cli`)

		const { key } = await theirs.socket.sendMessage(alice.jid, content)
		await ours.waitFor(`to get the ${kind}`, BOB, m => m.id === key.id && m.kind === kind)
		const target = join(dir, `got-${file}`)
		await ours.must('media', 'download', BOB, key.id, '--output', target)
		assert(bytes.equals(await readFile(target)), `the bytes of a ${kind} of Baileys`)
	}
	step('a picture, a voice note and a document both ways, every byte the same')
}

async function additions(scene, step) {
	const { ours, theirs, alice } = scene
	const { id } = await ours.must('send', BOB, 'the first text')
	const { key } = await theirs.waitForText('the first text')
	const theirId = await theirs.sendText(alice.jid, 'their first text')
	const find = fits => ours.waitFor('to see it', BOB, m => m.id === theirId && fits(m))
	await find(() => true)

	await ours.must('react', BOB, theirId, '👍')
	const reacted = await until('the reaction of wa-cli', () =>
		theirs.reactions.find(({ key }) => key.id === theirId)
	)
	assert(reacted.reaction.text === '👍', 'an emoji')
	await theirs.socket.sendMessage(alice.jid, { react: { text: '❤️', key } })
	await ours.waitFor('to see the reaction', BOB, m => m.id === id && m.reactions[0]?.emoji === '❤️')
	step('a reaction each way')

	const quote = await ours.must('send', BOB, 'indeed', '--reply-to', theirId)
	const { message } = await got(scene, quote.id)
	assert(message.extendedTextMessage.contextInfo.stanzaId === theirId, 'wa-cli quotes')
	const quoted = { key, message: { conversation: 'the first text' } }
	const quoting = await theirs.socket.sendMessage(alice.jid, { text: 'quite so' }, { quoted })
	await ours.waitFor('to see the quotation', BOB, m => m.id === quoting.key.id && m.reply_to === id)
	step('a quotation each way')

	await ours.must('edit', BOB, id, 'the second text')
	await until('the edit of wa-cli', () =>
		theirs.updates.find(({ key, update }) => {
			const edited = update.message?.editedMessage?.message
			const text = edited?.conversation ?? edited?.extendedTextMessage?.text
			return key.id === id && text === 'the second text'
		})
	)
	const theirKey = { remoteJid: alice.jid, fromMe: true, id: theirId }
	await theirs.socket.sendMessage(alice.jid, { text: 'their second text', edit: theirKey })
	const edited = await find(m => m.text === 'their second text')
	assert(edited.earlier_texts.join() === 'their first text', 'what it said before is kept')
	step('an edit each way')

	await ours.must('delete', BOB, id)
	await until('the deletion by wa-cli', () =>
		theirs.updates.find(({ key, update }) => key.id === id && update.message === null)
	)
	await theirs.socket.sendMessage(alice.jid, { delete: theirKey })
	await find(m => m.revoked && m.text === null)
	step('a deletion each way')
}

/** Opens a vote as its poll's author does, who goes by number or by LID, as does the voter. */
function openVote(vote, context, creators, voters) {
	for (const pollCreatorJid of creators) {
		for (const voterJid of voters) {
			try {
				return decryptPollVote(vote, { ...context, pollCreatorJid, voterJid }).selectedOptions
			} catch {
				// Another pair of addresses is the one it is sealed for.
			}
		}
	}
	return undefined
}

async function polls(scene, step) {
	const { sim, ours, theirs, alice, bob } = scene
	const ourPoll = await ours.must('poll', 'create', BOB, 'Tea?', 'yes', 'no', '--selectable', '1')
	const { message } = await got(scene, ourPoll.id)
	const creation = message.pollCreationMessageV3 ?? message.pollCreationMessage
	assert(creation.options.map(({ optionName }) => optionName).join() === 'yes,no', 'the options')
	const to = ALICE
	await sim.call('POST', `/accounts/${BOB}/messages`, { to, vote: { id: ourPoll.id, options: ['no'] } })
	const tally = await until('wa-cli to count the vote', async () => {
		await ours.must('sync')
		const poll = await ours.must('poll', 'show', BOB, ourPoll.id)
		return poll.voters === 1 && poll
	})
	assert(tally.options.map(({ votes }) => votes).join() === '0,1', 'the vote is counted where it belongs')
	step('a poll of wa-cli, with a vote')

	const poll = { name: 'Cake?', values: ['yes', 'no'], selectableCount: 1 }
	const sent = await theirs.socket.sendMessage(alice.jid, { poll })
	theirs.sent.set(sent.key.id, sent.message)
	await ours.waitFor('to get the poll', BOB, m => m.id === sent.key.id && m.kind === 'poll')
	await ours.must('poll', 'vote', BOB, sent.key.id, 'yes')
	const cast = await until('the vote of wa-cli', () =>
		theirs.messages.find(({ message }) => message?.pollUpdateMessage?.pollCreationMessageKey.id === sent.key.id)
	)
	const context = { pollMsgId: sent.key.id, pollEncKey: sent.message.messageContextInfo.messageSecret }
	const chosen = openVote(cast.message.pollUpdateMessage.vote, context, [bob.lid, bob.jid], [alice.lid, alice.jid])
	const yes = createHash('sha256').update('yes').digest()
	assert(chosen?.length === 1 && yes.equals(chosen[0]), 'the vote is for what was chosen')
	step('a poll of Baileys, with a vote of wa-cli')
}

async function cards(scene, step) {
	const { ours, theirs, alice } = scene
	const place = await ours.must('location', BOB, '48.2', '-16.4', '--name', 'Café')
	const { locationMessage } = (await got(scene, place.id)).message
	assert(locationMessage.degreesLongitude === -16.4 && locationMessage.name === 'Café', 'a place of wa-cli')
	const card = await ours.must('contact', BOB, 'Carol', `+${CAROL}`)
	const { contactMessage } = (await got(scene, card.id)).message
	assert(contactMessage.vcard.includes(`waid=${CAROL}`), 'a card of wa-cli')

	const location = { degreesLatitude: 1.5, degreesLongitude: 2.5, name: 'Harbour' }
	const theirPlace = await theirs.socket.sendMessage(alice.jid, { location })
	await ours.waitFor('to get the place', BOB, m => m.id === theirPlace.key.id && m.text === 'Harbour')
	const vcard = 'BEGIN:VCARD\nVERSION:3.0\nFN:Dave\nEND:VCARD'
	const contacts = { displayName: 'Dave', contacts: [{ displayName: 'Dave', vcard }] }
	const theirCard = await theirs.socket.sendMessage(alice.jid, { contacts })
	await ours.waitFor('to get the card', BOB, m => m.id === theirCard.key.id && m.text === 'Dave')
	step('a place and a contact card each way')
}

/** One damaged message each way in the group, healed by retry receipts. */
async function healed({ sim, ours, theirs }, group) {
	await sim.setFaults({ corrupt: { count: 1 } })
	const damaged = await theirs.sendText(group, 'damaged on its way to wa-cli')
	await ours.waitFor('to get a damaged message', group, m => m.id === damaged && m.text?.startsWith('damaged'))
	await sim.setFaults({ corrupt: { count: 1 } })
	await ours.must('send', group, 'damaged on its way to Baileys')
	await until('Baileys to have its retry answered', async () => {
		await ours.must('sync')
		return theirs.withText('damaged on its way to Baileys')[0]
	})
	await sim.setFaults({})
}

/** Another companion of the same account: what one sets, the other sees. */
async function settings({ sim, dir, ours, bob }, step) {
	const other = new BaileysClient(sim, ALICE, join(dir, 'other'))
	await other.connect()
	await other.ready()
	await until('the phone to share its keys', () => other.socket.authState.creds.myAppStateKeyId)
	const chat = (await ours.must('chats', '--sync')).find(({ phone }) => phone === `+${BOB}`)
	const seen = (what, fits) =>
		until(`Baileys to see the chat ${what}`, () =>
			other.chats.find(update => [bob.lid, bob.jid].includes(update.id) && fits(update))
		)

	await ours.must('chats', 'mute', BOB, '--for', '8h')
	await seen('muted', ({ muteEndTime }) => Number(muteEndTime) > 0)
	await ours.must('chats', 'pin', BOB)
	await seen('pinned', ({ pinned }) => Number(pinned) > 0)
	await ours.must('chats', 'archive', BOB)
	await seen('archived', ({ archived }) => archived === true)
	step('wa-cli mutes, pins and archives; another companion follows')

	const state = () => ours.must('chats', '--sync').then(chats => chats.find(({ jid }) => jid === chat.jid))
	const follows = (what, fits) => until(`wa-cli to see the chat ${what}`, async () => fits(await state()))
	await sim.send(BOB, ALICE, 'the newest')
	const { key, messageTimestamp } = await other.waitForText('the newest')
	const lastMessages = [{ key, messageTimestamp: Number(messageTimestamp) }]
	await other.socket.chatModify({ archive: false, lastMessages }, chat.jid)
	await follows('unarchived', ({ archived }) => !archived)
	await other.socket.chatModify({ mute: null }, chat.jid)
	await follows('unmuted', ({ muted }) => !muted)
	await other.socket.chatModify({ pin: true }, chat.jid)
	await follows('pinned', ({ pinned }) => pinned)
	step('another companion unarchives, unmutes and pins; wa-cli follows')
	await other.stop()
}
