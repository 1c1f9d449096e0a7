// `wa-cli link` as it goes on beside the browser. Knows nothing of browsers.

import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'

const BINARY = process.env.WA_CLI ?? resolve(import.meta.dirname, '../../../target/debug/wa-cli')
const PATIENCE_MS = 30_000

export const PHONE = '447700900100'

/** An account that demands a passkey, which it has; as CDP's `WebAuthn.addCredential` takes it. */
export async function accountWithPasskey(sim) {
	await sim.addAccount(PHONE, 'Ada')
	return sim.call('POST', `/accounts/${PHONE}/passkey`, { demand: true, create: true })
}

export class Linking {
	/** Begins to link, with the account's phone taking the first code. */
	constructor(sim, dir, args = []) {
		const env = {
			...process.env,
			XDG_CONFIG_HOME: resolve(dir, 'config'),
			WA_SERVER_URL: sim.ready.ws_url,
			WA_NOISE_ROOT: sim.ready.noise_root,
			WA_MEDIA_CA: sim.ready.media_ca
		}
		const all = ['link', '--json', '--store', resolve(dir, 'store'), ...args]
		this.child = spawn(BINARY, all, { env, stdio: ['ignore', 'pipe', 'inherit'] })
		this.events = []
		this.waiting = []
		createInterface({ input: this.child.stdout }).on('line', line => this.#take(sim, JSON.parse(line)))
		this.ended = new Promise(fulfil => this.child.once('exit', fulfil))
	}

	#take(sim, event) {
		if (event.event === 'qr' && !this.taken) {
			this.taken = sim.link(PHONE, event.code)
		}
		if (event.event === 'pairing_code' && !this.taken) {
			this.taken = sim.call('POST', `/accounts/${PHONE}/link-code`, { code: event.code })
		}
		this.events.push(event)
		this.waiting.splice(0).forEach(look => look())
	}

	/** The first event that fits. */
	async until(what, fits) {
		const deadline = Date.now() + PATIENCE_MS
		for (;;) {
			const found = this.events.find(fits)
			if (found) {
				return found
			}
			const left = deadline - Date.now()
			if (left <= 0) {
				throw new Error(`${what} did not come: ${JSON.stringify(this.events.map(event => event.event ?? event))}`)
			}
			await new Promise(fulfil => {
				this.waiting.push(fulfil)
				setTimeout(fulfil, left)
			})
		}
	}

	passkey() {
		return this.until('the demand for a passkey', event => event.event === 'passkey')
	}

	/** Until it is linked, and the process has ended. */
	async linked() {
		const last = await this.until('the end', event => 'ok' in event)
		if (!last.ok || last.data.account.phone !== `+${PHONE}`) {
			throw new Error(`not linked: ${JSON.stringify(last)}`)
		}
		return this.ended
	}

	async stop() {
		this.child.kill('SIGTERM')
		await this.ended
	}
}
