// The project's own command line as a client: every call is a process of its own, so that each one
// is a restart from the encrypted database.

import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { assert, until } from './wait.mjs'

const BINARY = process.env.WA_CLI ?? resolve(import.meta.dirname, '../../../target/debug/wa-cli')

export class WaCli {
	/** `dir` takes the account's folder and its key. */
	constructor(sim, phone, dir) {
		if (!existsSync(BINARY)) {
			throw new Error(`no wa-cli at ${BINARY}: build it, or set WA_CLI`)
		}
		this.sim = sim
		this.phone = phone
		this.store = resolve(dir, 'store')
		const config = resolve(dir, 'config')
		allowQuickMessages(resolve(config, 'wa'))
		this.env = {
			...process.env,
			XDG_CONFIG_HOME: config,
			WA_SERVER_URL: sim.ready.ws_url,
			WA_NOISE_ROOT: sim.ready.noise_root,
			WA_MEDIA_CA: sim.ready.media_ca
		}
	}

	/** Runs a command with `--json`; every line it prints goes to `onLine`. The last one is the answer. */
	run(args, onLine = () => {}) {
		const child = spawn(BINARY, [...args, '--json', '--store', this.store, '--timeout', '20'], {
			env: this.env,
			stdio: ['ignore', 'pipe', 'pipe']
		})
		let last
		let complaints = ''
		child.stderr.on('data', data => (complaints += data))
		const lines = createInterface({ input: child.stdout })
		lines.on('line', line => onLine((last = JSON.parse(line))))
		const closed = new Promise(fulfil => lines.once('close', fulfil))
		return new Promise((fulfil, reject) => {
			child.once('error', reject)
			child.once('exit', async code => {
				await closed
				fulfil({ code, answer: last, complaints })
			})
		})
	}

	/** As `run`, for what must succeed; gives the answer's data. */
	async must(...args) {
		const { code, answer, complaints } = await this.run(args)
		assert(code === 0 && answer?.ok, `wa-cli ${args[0]}: ${code} ${JSON.stringify(answer)} ${complaints}`)
		return answer.data
	}

	/** Links it, with its phone scanning the first code. */
	async link() {
		let linked
		const { code, answer, complaints } = await this.run(['link'], line => {
			if (line.event === 'qr') {
				linked ??= this.sim.link(this.phone, line.code)
			}
		})
		assert(code === 0 && answer?.ok, `wa-cli link: ${code} ${JSON.stringify(answer)} ${complaints}`)
		this.device = (await linked).device
	}

	/** Links it by a code that is typed into its phone. */
	async linkByCode() {
		let typed
		const { code, answer, complaints } = await this.run(['link', '--phone', `+${this.phone}`], line => {
			if (line.event === 'pairing_code') {
				typed ??= this.sim.call('POST', `/accounts/${this.phone}/link-code`, { code: line.code })
			}
		})
		assert(code === 0 && answer?.ok, `wa-cli link: ${code} ${JSON.stringify(answer)} ${complaints}`)
		this.device = (await typed).device
	}

	/** The messages of a chat, after taking in what waits on the server. */
	messages(chat) {
		return this.must('messages', chat, '--sync', '--limit', '1000')
	}

	/** Until a chat holds a message that fits. */
	waitFor(what, chat, fits) {
		return until(`${this.phone}: wa-cli ${what}`, async () => (await this.messages(chat)).find(fits))
	}
}

/** Scenarios write to people who never wrote before, one message after the other. */
function allowQuickMessages(config) {
	mkdirSync(config, { recursive: true })
	const pace = ['between_ms = 0', 'per_hour = 10000', 'strangers_between_ms = 0', 'strangers_per_hour = 10000']
	writeFileSync(resolve(config, 'policy.toml'), `[pace]\n${pace.join('\n')}\n`, { mode: 0o600 })
}
