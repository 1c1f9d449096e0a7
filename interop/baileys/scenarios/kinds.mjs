// Every kind of message that Baileys sends to a phone, and polls with votes both ways.

import { createCipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { decryptPollVote } from 'baileys'
import { BaileysClient } from '../harness/client.mjs'
import { assert, until } from '../harness/wait.mjs'

export const name = 'every kind of message from Baileys, and polls with votes'

const ALICE = '15550001'
const BOB = '15550002'
const BOB_JID = `${BOB}@s.whatsapp.net`

export async function run({ sim, dir, step }) {
	const { lid: aliceLid } = await sim.addAccount(ALICE, 'Alice')
	const { lid: bobLid } = await sim.addAccount(BOB, 'Bob')
	const client = new BaileysClient(sim, ALICE, join(dir, 'alice'))
	await client.connect()
	await client.ready()

	const say = async content => {
		const sent = await client.socket.sendMessage(BOB_JID, content)
		client.sent.set(sent.key.id, sent.message)
		return sent
	}
	const onPhone = async id => {
		const messages = await sim.call('GET', `/accounts/${BOB}/messages`)
		return messages.find(message => message.id === id)
	}
	const shows = (what, id, holds) =>
		until(`the phone to show ${what}`, async () => {
			const message = await onPhone(id)
			return message && holds(message) ? message : undefined
		})

	const text = await say({ text: 'the first text' })
	await shows('the text', text.key.id, ({ text }) => text === 'the first text')
	const reply = await client.socket.sendMessage(BOB_JID, { text: 'indeed' }, { quoted: text })
	await shows('the quote', reply.key.id, ({ outcome }) => outcome.quotes === 'the first text')
	step('a phone gets a text of Baileys and one that quotes it')

	await say({ react: { text: '👍', key: text.key } })
	await shows('the reaction', text.key.id, ({ outcome }) => Object.values(outcome.reactions)[0] === '👍')
	await say({ text: 'the second text', edit: text.key })
	await shows('the edit', text.key.id, ({ outcome }) => outcome.edited === 'the second text')
	await say({ delete: text.key })
	await shows('the deletion', text.key.id, ({ outcome }) => outcome.revoked)
	step('it applies a reaction, an edit and a deletion of Baileys')

	const place = await say({ location: { degreesLatitude: 48.2, degreesLongitude: -16.4, name: 'Café' } })
	await shows('the location', place.key.id, ({ kind, text }) => kind === 'location' && text === 'Café')
	const vcard = 'BEGIN:VCARD\nVERSION:3.0\nFN:Carol\nEND:VCARD'
	const card = await say({ contacts: { displayName: 'Carol', contacts: [{ vcard, displayName: 'Carol' }] } })
	await shows('the contact', card.key.id, ({ kind, text }) => kind === 'contact' && text === 'Carol')
	step('it gets a location and a contact of Baileys')

	const asked = await say({ poll: { name: 'Tea?', values: ['yes', 'no'], selectableCount: 1 } })
	await shows('the poll', asked.key.id, ({ kind }) => kind === 'poll')
	const vote = await sim.call('POST', `/accounts/${BOB}/messages`, {
		to: ALICE,
		vote: { id: asked.key.id, options: ['no'] }
	})
	const update = await until('the vote', () => client.messages.find(({ key }) => key.id === vote.id))
	const opened = opens(update.message.pollUpdateMessage.vote, asked, aliceLid, bobLid)
	assert(opened.selectedOptions.length === 1, 'one option is chosen')
	assert(hash('no').equals(Buffer.from(opened.selectedOptions[0])), 'it is the one the phone chose')
	step('Baileys opens the vote of a phone in its poll')

	const poll = await sim.call('POST', `/accounts/${BOB}/messages`, {
		to: ALICE,
		poll: { name: 'When?', options: ['now', 'later'], selectable: 1 }
	})
	const received = await until('the poll', () => client.messages.find(({ key }) => key.id === poll.id))
	await client.socket.relayMessage(BOB_JID, votes(received, bobLid, aliceLid, 'later'), {})
	await shows('the vote', poll.id, ({ outcome }) => outcome.tally.later.length === 1 && outcome.tally.now.length === 0)
	step('a phone counts the vote of Baileys in its poll')
}

const hash = option => createHash('sha256').update(option).digest()

function opens(sealed, poll, creator, voter) {
	return decryptPollVote(sealed, {
		pollCreatorJid: creator,
		pollMsgId: poll.key.id,
		pollEncKey: poll.message.messageContextInfo.messageSecret,
		voterJid: voter
	})
}

/** A vote as WhatsApp seals it; Baileys itself sends none. */
function votes(poll, creator, voter, option) {
	const id = poll.key.id
	const info = Buffer.concat([id, creator, voter, 'Poll Vote'].map(part => Buffer.from(part)))
	const key = Buffer.from(hkdfSync('sha256', poll.message.messageContextInfo.messageSecret, '', info, 32))
	const iv = randomBytes(12)
	const cipher = createCipheriv('aes-256-gcm', key, iv)
	cipher.setAAD(Buffer.from(`${id}\0${voter}`))
	const chosen = Buffer.concat([Buffer.from([0x0a, 32]), hash(option)])
	const encPayload = Buffer.concat([cipher.update(chosen), cipher.final(), cipher.getAuthTag()])
	return {
		pollUpdateMessage: {
			pollCreationMessageKey: poll.key,
			vote: { encPayload, encIv: iv },
			senderTimestampMs: Date.now()
		}
	}
}
