// Baileys makes a group and runs it: people, settings, links, and what everybody reads meanwhile.

import { join } from 'node:path'
import { BaileysClient } from '../harness/client.mjs'
import { assert, until } from '../harness/wait.mjs'

export const name = 'a group made and run by Baileys'

const [ALICE, BOB, CAROL, DAVE] = ['15550001', '15550002', '15550003', '15550004']

export async function run({ sim, dir, step }) {
	await sim.addAccount(ALICE, 'Alice')
	const bob = await sim.addAccount(BOB, 'Bob')
	const carol = await sim.addAccount(CAROL, 'Carol')
	const dave = await sim.addAccount(DAVE, 'Dave')
	const companion = new BaileysClient(sim, ALICE, join(dir, 'alice'))
	await companion.connect()
	await companion.ready()
	const { socket } = companion
	const changes = { people: [], settings: [] }
	socket.ev.on('group-participants.update', change => changes.people.push(change))
	socket.ev.on('groups.update', updates => changes.settings.push(...updates))

	const shows = (phone, group, text) =>
		until(`${phone} to show "${text}"`, async () =>
			(await sim.messages(phone)).find(message => message.chat === group && message.text === text)
		)
	const hasNot = async (phone, text) =>
		assert(!(await sim.messages(phone)).some(message => message.text === text), `${phone} has not "${text}"`)

	const made = await socket.groupCreate('Tea', [bob.jid, carol.jid])
	const group = made.id
	assert(made.participants.length === 3 && made.addressingMode === 'lid', 'three people, by LID')
	assert((await socket.groupMetadata(group)).subject === 'Tea', 'it is called so')
	step('Baileys makes a group')

	await sim.send(BOB, group, 'phone to group')
	await companion.waitForText('phone to group')
	await companion.sendText(group, 'Baileys to group')
	for (const phone of [ALICE, BOB, CAROL]) {
		await shows(phone, group, 'Baileys to group')
	}
	step('both write to it, everybody reads')

	const [added] = await socket.groupParticipantsUpdate(group, [dave.jid], 'add')
	assert(added.status === '200', `Dave is added: ${added.status}`)
	await companion.sendText(group, 'welcome Dave')
	await shows(DAVE, group, 'welcome Dave')
	await sim.send(DAVE, group, 'thank you')
	await companion.waitForText('thank you')
	await shows(CAROL, group, 'thank you')
	step('who comes in reads and writes from then on')

	const [removed] = await socket.groupParticipantsUpdate(group, [carol.jid], 'remove')
	assert(removed.status === '200', `Carol is removed: ${removed.status}`)
	await companion.sendText(group, 'without Carol')
	await sim.send(BOB, group, 'also without Carol')
	await companion.waitForText('also without Carol')
	for (const phone of [BOB, DAVE]) {
		await shows(phone, group, 'without Carol')
	}
	await hasNot(CAROL, 'without Carol')
	await hasNot(CAROL, 'also without Carol')
	const refused = await sim.send(CAROL, group, 'let me in').then(() => false, () => true)
	assert(refused, 'Carol cannot write any more')
	const [again] = await socket.groupParticipantsUpdate(group, [carol.jid], 'remove')
	assert(again.status === '404', `nobody is removed twice: ${again.status}`)
	step('who is put out reads and writes nothing more, the others go on')

	await socket.groupUpdateSubject(group, 'Coffee')
	await socket.groupUpdateDescription(group, 'About coffee')
	await socket.groupUpdateDescription(group, 'About coffee and tea')
	await socket.groupSettingUpdate(group, 'announcement')
	await socket.groupSettingUpdate(group, 'locked')
	await socket.groupToggleEphemeral(group, 86400)
	await socket.groupMemberAddMode(group, 'all_member_add')
	await socket.groupJoinApprovalMode(group, 'on')
	const now = await sim.group(group)
	assert(now.subject === 'Coffee' && now.description === 'About coffee and tea', 'name and description')
	assert(now.announcement && now.locked && now.ephemeral === 86400, 'settings')
	const metadata = await socket.groupMetadata(group)
	assert(metadata.announce && metadata.restrict && metadata.joinApprovalMode && metadata.memberAddMode, 'all told')
	assert(metadata.desc === 'About coffee and tea' && metadata.ephemeralDuration === 86400, 'all of it')
	const silenced = await sim.send(BOB, group, 'may I?').then(() => false, () => true)
	assert(silenced, 'only admins write')
	await socket.groupSettingUpdate(group, 'not_announcement')
	step('Baileys changes every setting, and the group has them')

	await socket.groupParticipantsUpdate(group, [bob.jid], 'promote')
	await sim.changeGroup(group, { by: BOB, subject: 'Bob runs this' })
	await until('Baileys to hear of the name', () => changes.settings.some(({ subject }) => subject === 'Bob runs this'))
	const { errors } = await sim.changeMembers(group, 'add', [CAROL], BOB)
	assert(errors[0] === null, 'Bob takes Carol in again')
	await until('Baileys to hear of Carol', () => changes.people.some(({ action }) => action === 'add'))
	await companion.sendText(group, 'Carol is back')
	await shows(CAROL, group, 'Carol is back')
	step('a phone runs the group too, and Baileys hears of it')

	const code = await socket.groupInviteCode(group)
	const fresh = await socket.groupRevokeInvite(group)
	assert(code.length === 22 && fresh.length === 22 && code !== fresh, 'another code')
	const behind = await socket.groupGetInviteInfo(fresh)
	assert(behind.id === group && behind.participants.length === 0, 'the outside of it')
	step('links are made, looked at and reset')

	const all = await socket.groupFetchAllParticipating()
	assert(all[group]?.participants.length === 4, 'it is among the groups')
	await socket.groupLeave(group)
	const left = await sim.group(group)
	assert(left.participants.length === 3, 'Alice has left')
	assert(left.participants.some(({ role }) => role !== 'member'), 'somebody runs it')
	step('Baileys leaves')
	await companion.stop()
}
