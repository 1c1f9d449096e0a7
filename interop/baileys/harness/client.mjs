// A real Baileys client against the simulation: linked by QR, restarted where it asks for it, with
// everything it has seen kept for assertions.

import { readFileSync } from 'node:fs'
import { Agent } from 'node:https'
import makeWASocket, {
	DisconnectReason,
	WA_CERT_DETAILS,
	useMultiFileAuthState
} from 'baileys'
import { until } from './wait.mjs'

const LOUD = process.env.BAILEYS_LOG !== undefined

if (!LOUD) {
	// Its Signal library tells the console about every session it closes.
	console.info = () => {}
}

const logger = {
	level: LOUD ? 'debug' : 'silent',
	child: () => logger,
	trace: () => {},
	debug: (...what) => LOUD && console.error('debug', ...what),
	info: (...what) => LOUD && console.error('info', ...what),
	warn: (...what) => LOUD && console.error('warn', ...what),
	error: (...what) => LOUD && console.error('error', ...what)
}

export class BaileysClient {
	/**
	 * `dir` keeps its keys, so that a new client of the same folder is the same device. It is linked
	 * by `qr`, or by a typed `code`, and takes its phone's history only if it is told to: what the
	 * phone gives unasked, or with `full` all of it.
	 */
	constructor(sim, phone, dir, linkBy = 'qr', { history = false, full = false } = {}) {
		this.linkBy = linkBy
		this.takesHistory = history
		this.wantsAll = full
		this.history = []
		this.sim = sim
		this.phone = phone
		this.dir = dir
		this.messages = []
		this.updates = []
		this.receipts = []
		this.reactions = []
		this.chats = []
		this.sent = new Map()
		this.open = false
		this.closed = undefined
		this.drained = false
	}

	/** Connects, and if it is not linked yet is scanned by its phone. */
	async connect() {
		WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(this.sim.ready.noise_root, 'hex')
		const { state, saveCreds } = await useMultiFileAuthState(this.dir)
		this.open = false
		this.closed = undefined
		this.drained = false
		this.socket = makeWASocket({
			auth: state,
			logger,
			waWebSocketUrl: this.sim.ready.ws_url,
			shouldSyncHistoryMessage: () => this.takesHistory,
			syncFullHistory: this.wantsAll,
			getMessage: async key => this.sent.get(key.id),
			retryRequestDelayMs: 50,
			appStateMacVerification: { patch: true, snapshot: true },
			fetchAgent: new Agent({ ca: readFileSync(this.sim.ready.media_ca) })
		})
		this.socket.ev.on('creds.update', saveCreds)
		this.socket.ev.on('connection.update', update => this.#connectionUpdate(update))
		this.socket.ev.on('messaging-history.set', chunk => this.history.push(chunk))
		this.socket.ev.on('messages.reaction', reactions => this.reactions.push(...reactions))
		this.socket.ev.on('chats.update', updates => this.chats.push(...updates))
		this.socket.ev.on('messages.upsert', ({ messages }) => this.messages.push(...messages))
		this.socket.ev.on('messages.update', updates => this.updates.push(...updates))
		this.socket.ev.on('message-receipt.update', receipts => this.receipts.push(...receipts))
	}

	#connectionUpdate(update) {
		if (update.qr && !this.scanned) {
			this.scanned = update.qr
			this.#link(update.qr).then(
				linked => (this.device = linked.device),
				error => (this.linkError = error)
			)
		}
		if (update.connection === 'open') {
			this.open = true
		}
		if (update.receivedPendingNotifications) {
			this.drained = true
		}
		if (update.connection === 'close') {
			this.closed = update.lastDisconnect?.error?.output?.statusCode ?? 0
			this.open = false
			if (this.closed === DisconnectReason.restartRequired) {
				this.restarts = (this.restarts ?? 0) + 1
				this.connect()
			}
		}
	}

	async #link(qr) {
		if (this.linkBy === 'qr') {
			return this.sim.link(this.phone, qr)
		}
		const code = await this.socket.requestPairingCode(this.phone)
		// Baileys does not wait for the server's answer, and neither does a person type at once.
		await new Promise(fulfil => setTimeout(fulfil, 2_000))
		return this.sim.call('POST', `/accounts/${this.phone}/link-code`, { code })
	}

	/** Waits until it is logged in and has got what it missed. */
	async ready() {
		await until(`${this.phone}: Baileys to be connected`, () => {
			if (this.linkError) {
				throw this.linkError
			}
			return this.open && this.drained
		})
	}

	async sendText(to, text) {
		const sent = await this.socket.sendMessage(to, { text })
		this.sent.set(sent.key.id, sent.message)
		return sent.key.id
	}

	/** A decrypted message of this text. */
	waitForText(text) {
		return until(`${this.phone}: Baileys to get "${text}"`, () => this.withText(text)[0])
	}

	withText(text) {
		return this.messages.filter(
			({ message }) => (message?.conversation ?? message?.extendedTextMessage?.text) === text
		)
	}

	/** Until a message of its own has come so far: 2 server, 3 delivered, 4 read. */
	waitForStatus(id, status) {
		// An update that comes with the message itself is merged into it.
		return until(
			`${this.phone}: status ${status} of a message of Baileys`,
			() =>
				this.updates.some(({ key, update }) => key.id === id && update.status >= status) ||
				this.messages.some(message => message.key.id === id && message.status >= status)
		)
	}

	/** Who has confirmed a group message of its own. */
	confirmedBy(id) {
		const updates = this.receipts.filter(({ key }) => key.id === id).map(({ receipt }) => receipt)
		// A receipt that comes with the message itself is merged into it.
		const merged = this.messages.filter(({ key }) => key.id === id).flatMap(message => message.userReceipt ?? [])
		return new Set([...updates, ...merged].map(receipt => receipt.userJid))
	}

	async stop() {
		await this.socket.end(undefined)
		await until('Baileys to close', () => !this.socket.ws.isOpen)
	}
}
