// Linking with a passkey as a person does it: wa-cli shows its page, a real browser signs on
// web.whatsapp.com with a (virtual) authenticator, and wa-sim's server verifies what was signed.
// Nothing but loopback is reached: the browser resolves no name, and the page of WhatsApp's origin
// is given to it by the test, so that origin and site are as in life.
//
// Exit code 1 if a scenario fails; WA_SHOTS=FOLDER keeps pictures of the pages.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Sim } from '../baileys/harness/sim.mjs'
import { openBrowser } from './harness/browser.mjs'
import { scenarios } from './scenarios.mjs'

const wanted = process.argv[2] ?? ''
const browser = await openBrowser()
let failed = 0
let done = 0
for (const { name, run } of scenarios.filter(scenario => scenario.name.includes(wanted))) {
	const dir = await mkdtemp(join(tmpdir(), 'wa-interop-web-'))
	const sim = await Sim.start(dir)
	const closing = []
	try {
		await run({ sim, dir, browser, later: close => closing.push(close) })
		console.log(`ok      ${name}`)
	} catch (error) {
		failed += 1
		console.error(`FAILED  ${name}\n${error.stack}`)
	} finally {
		for (const close of closing.reverse()) {
			await close()
		}
		await sim.stop()
		await rm(dir, { recursive: true, force: true })
	}
	done += 1
}
await browser.close()
console.log(`${done - failed} passed, ${failed} failed`)
process.exit(failed === 0 && done > 0 ? 0 : 1)
