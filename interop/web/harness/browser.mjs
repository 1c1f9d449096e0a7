// A browser without a network, and authenticators for it. Knows nothing of wa-cli.

import { chromium } from 'playwright-core'

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
export const WEB = 'https://web.whatsapp.com'

// As strict as WhatsApp Web's own: no inline script, no inline style, no text turned into markup.
const STRICT = [
	"default-src 'self'",
	"script-src 'self' 'wasm-unsafe-eval'",
	"style-src 'self'",
	"connect-src 'self'",
	"form-action 'self'",
	"require-trusted-types-for 'script'"
].join('; ')

export function openBrowser() {
	return chromium.launch({
		executablePath: CHROMIUM,
		headless: true,
		args: ['--no-sandbox', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1']
	})
}

/** A window as wide as a phone; `requests` gets every address that WhatsApp's page asks for. */
export async function openWindow(browser, requests = []) {
	const context = await browser.newContext({ viewport: { width: 360, height: 740 } })
	await context.route(`${WEB}/**`, route => {
		requests.push(route.request().url())
		return route.fulfill({
			status: 200,
			contentType: 'text/html; charset=utf-8',
			headers: { 'content-security-policy': STRICT },
			body: '<!doctype html><html lang="en"><title>WhatsApp</title><body><p>Log in by scanning a code'
		})
	})
	return context
}

/** Gives a page an authenticator that holds this passkey, or none; the person always agrees. */
export async function addAuthenticator(page, passkey) {
	const cdp = await page.context().newCDPSession(page)
	await cdp.send('WebAuthn.enable')
	const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
		options: {
			protocol: 'ctap2',
			transport: 'internal',
			hasResidentKey: true,
			hasUserVerification: true,
			isUserVerified: true,
			automaticPresenceSimulation: true
		}
	})
	if (passkey) {
		await cdp.send('WebAuthn.addCredential', {
			authenticatorId,
			credential: {
				credentialId: passkey.credential_id,
				isResidentCredential: true,
				rpId: passkey.rp_id,
				privateKey: passkey.private_key,
				userHandle: passkey.user_handle,
				signCount: 1
			}
		})
	}
	return cdp
}

/** Runs a text as the browser's console does, whatever the page's policy says. */
export async function pasteIntoConsole(cdp, text) {
	const { exceptionDetails } = await cdp.send('Runtime.evaluate', { expression: text, userGesture: true })
	if (exceptionDetails) {
		throw new Error(`the console says: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`)
	}
}

/** Presses a bookmark with this address: the browser itself runs it, whatever the page's policy says. */
export async function pressBookmark(page, address) {
	// No page comes of it, which the driver takes for an aborted one.
	await page.goto(address).catch(error => {
		if (!error.message.includes('ERR_ABORTED')) {
			throw error
		}
	})
}

/** No text is cut off at the side. */
export async function assertFits(page, what) {
	const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
	if (wide > window) {
		throw new Error(`${what} is ${wide} pixels wide, the window ${window}`)
	}
}

export async function picture(page, name, fullPage = true) {
	if (process.env.WA_SHOTS) {
		await page.screenshot({ path: `${process.env.WA_SHOTS}/${name}.png`, fullPage })
	}
}
