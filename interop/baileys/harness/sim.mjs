// A running `wa-sim serve` and its control API. Knows nothing of clients.

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { until } from './wait.mjs'

const BINARY = process.env.WA_SIM ?? resolve(import.meta.dirname, '../../../target/debug/wa-sim')
const START_TIMEOUT_MS = 20_000
const QUIET_MS = 300

export class Sim {
	/** Starts the binary and waits for its ready line. `dir` takes the media authority. */
	static async start(dir, seed = 1) {
		if (!existsSync(BINARY)) {
			throw new Error(`no wa-sim at ${BINARY}: build it, or set WA_SIM`)
		}
		const child = spawn(BINARY, ['serve', '--seed', String(seed), '--dir', dir], {
			stdio: ['ignore', 'pipe', 'inherit']
		})
		const ready = await new Promise((fulfil, reject) => {
			const timer = setTimeout(() => reject(new Error('wa-sim did not get ready')), START_TIMEOUT_MS)
			child.once('error', reject)
			child.once('exit', code => reject(new Error(`wa-sim ended with ${code} before it was ready`)))
			createInterface({ input: child.stdout }).once('line', line => {
				clearTimeout(timer)
				fulfil(JSON.parse(line))
			})
		})
		return new Sim(child, ready)
	}

	constructor(child, ready) {
		this.child = child
		this.ready = ready
	}

	/** One call of the control API; an error carries what the API said. */
	async call(method, path, body) {
		const response = await fetch(this.ready.control_url + path, {
			method,
			headers: { 'content-type': 'application/json' },
			body: body === undefined ? undefined : JSON.stringify(body)
		})
		const text = await response.text()
		if (!response.ok) {
			throw new Error(`${method} ${path}: ${response.status} ${text}`)
		}
		return JSON.parse(text)
	}

	addAccount(phone, name) {
		return this.call('POST', '/accounts', { phone, name })
	}

	link(phone, qr) {
		return this.call('POST', `/accounts/${phone}/link`, { qr })
	}

	send(phone, to, text) {
		return this.call('POST', `/accounts/${phone}/messages`, { to, text })
	}

	messages(phone) {
		return this.call('GET', `/accounts/${phone}/messages`)
	}

	createGroup(subject, participants) {
		return this.call('POST', '/groups', { subject, participants })
	}

	group(jid) {
		return this.call('GET', `/groups/${jid}`)
	}

	/** `{by, subject, description, locked, announcement, ephemeral, approval, everybody_adds}` */
	changeGroup(jid, settings) {
		return this.call('PATCH', `/groups/${jid}`, settings)
	}

	/** `action` is `add`, `remove`, `promote` or `demote`; without `by` an admin does it. */
	changeMembers(jid, action, participants, by) {
		return this.call('POST', `/groups/${jid}/participants`, { by, action, participants })
	}

	setFaults(faults) {
		return this.call('POST', '/faults', faults)
	}

	unlink(phone, device) {
		return this.call('DELETE', `/accounts/${phone}/devices/${device}`)
	}

	stats() {
		return this.call('GET', '/stats')
	}

	/** Waits until nobody says anything any more: what is dropped next is what is sent next. */
	async quiet() {
		let before = null
		await until('the line to be quiet', async () => {
			await new Promise(fulfil => setTimeout(fulfil, QUIET_MS))
			const { frames_in, frames_out } = await this.stats()
			const now = `${frames_in}:${frames_out}`
			const isQuiet = now === before
			before = now
			return isQuiet
		})
	}

	async stop() {
		if (this.child.exitCode === null) {
			const ended = new Promise(fulfil => this.child.once('exit', fulfil))
			this.child.kill('SIGTERM')
			await ended
		}
	}
}
