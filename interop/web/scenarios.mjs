// What people do and what goes wrong for them. Each scenario has a simulation of its own.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
	WEB, addAuthenticator, assertFits, openWindow, pasteIntoConsole, picture, pressBookmark
} from './harness/browser.mjs'
import { Linking, PHONE, accountWithPasskey } from './harness/linking.mjs'

/** Begins a link and opens its page. */
async function begin({ sim, dir, browser, later }, args) {
	const passkey = await accountWithPasskey(sim)
	const linking = new Linking(sim, dir, args)
	later(() => linking.stop())
	const asked = await linking.passkey()
	const requests = []
	const context = await openWindow(browser, requests)
	later(() => context.close())
	const page = await context.newPage()
	await page.goto(asked.page)
	return { passkey, linking, asked, context, page, requests }
}

/** Moves the focus with the keyboard alone until it is on what fits. */
async function tabTo(page, selector) {
	for (let presses = 0; presses < 40; presses += 1) {
		await page.keyboard.press('Tab')
		if (await page.evaluate(wanted => document.activeElement.matches(wanted), selector)) {
			return
		}
	}
	throw new Error(`the keyboard does not get to ${selector}`)
}

/** Opens WhatsApp's page by the link on the page, with the keyboard. */
async function openWeb(context, page) {
	await tabTo(page, 'a[target=_blank]')
	const opened = context.waitForEvent('page')
	await page.keyboard.press('Enter')
	const web = await opened
	await web.waitForLoadState()
	return web
}

/** Presses what has the focus in the helper, and waits until it has signed. */
async function sign(web) {
	await web.keyboard.press('Enter')
	await web.locator('#done').waitFor({ state: 'visible' })
	return web.locator('#answer').inputValue()
}

async function devices(sim) {
	return (await sim.call('GET', `/accounts/${PHONE}/devices`)).length
}

export const scenarios = [
	{
		name: 'a scanned code, the console, and the keyboard alone',
		async run(world) {
			const { passkey, linking, asked, context, page, requests } = await begin(world)
			await assertFits(page, 'the page')
			await picture(page, 'page')
			assert.match(await page.locator('.code').first().textContent(), new RegExp(asked.check))

			const script = await page.locator('#script').inputValue()
			const web = await openWeb(context, page)
			assert.ok(web.url().includes('#wa-passkey='), web.url())
			const cdp = await addAuthenticator(web, passkey)
			await pasteIntoConsole(cdp, script)
			await web.locator('#check').getByText(asked.check).waitFor()
			await assertFits(web, 'the helper')
			await picture(web, 'helper', false)
			requests.length = 0
			const answer = await sign(web)
			await web.locator('#done').scrollIntoViewIfNeeded()
			await picture(web, 'helper-signed', false)
			assert.deepEqual(requests, [], 'the helper asks for nothing')

			await page.bringToFront()
			await page.reload()
			await tabTo(page, '#answer')
			await page.keyboard.insertText(answer)
			await page.keyboard.press('Tab')
			await page.keyboard.press('Enter')
			await page.getByRole('heading', { name: 'This device is linked' }).waitFor()
			await picture(page, 'linked')
			assert.equal(await linking.linked(), 0)
			assert.equal(await devices(world.sim), 2)
		}
	},
	{
		name: 'a typed code, the bookmark, and the answer as a file',
		async run(world) {
			const file = join(world.dir, 'answer.txt')
			const args = ['--phone', `+${PHONE}`, '--passkey-answer', file]
			const { passkey, linking, asked, context, page } = await begin(world, args)
			const bookmark = await page.locator('a.keep').getAttribute('href')
			assert.equal(bookmark, await page.locator('#bookmark').inputValue(), 'both are one')
			// Pressed where it stands it does nothing: this page lets no script run.
			await page.locator('a.keep').click()
			assert.equal(await page.locator('dialog').count(), 0)
			assert.equal(await page.locator('#wa-passkey-helper').count(), 0)

			// The address loses what stands behind its #, as it does when WhatsApp Web starts.
			const web = await context.newPage()
			await web.goto(`${WEB}/`)
			await addAuthenticator(web, passkey)
			await pressBookmark(web, bookmark)
			await web.locator('#check').getByText(asked.check).waitFor()
			await writeFile(file, 'not the answer')
			await linking.until('the refusal', event => event.event === 'passkey_refused')
			await writeFile(file, await sign(web))
			assert.equal(await linking.linked(), 0)
			assert.equal(await devices(world.sim), 2)
		}
	},
	{
		name: 'what goes wrong is said in plain words',
		async run(world) {
			const { asked, context, page } = await begin(world)
			const script = await page.locator('#script').inputValue()

			// No passkey in this browser.
			const web = await context.newPage()
			await web.goto(`${WEB}/`)
			const cdp = await addAuthenticator(web, null)
			await pasteIntoConsole(cdp, script)
			await web.locator('#check').getByText(asked.check).waitFor()
			await web.keyboard.press('Enter')
			await web.locator('#status').getByText('has a passkey for WhatsApp').waitFor()
			await picture(web, 'helper-no-passkey', false)

			// A request that is none, and one for another site.
			const ask = web.locator('#request')
			await ask.fill('hello')
			await web.locator('#status').getByText('not a request code').waitFor()
			assert.ok(await web.locator('#sign').isDisabled())
			const evil = Buffer.from(JSON.stringify({ challenge: 'AAAA', rpId: 'bank.example' }))
			await ask.fill(evil.toString('base64url'))
			await web.locator('#status').getByText('not for WhatsApp').waitFor()
			assert.ok(await web.locator('#sign').isDisabled())
			await web.keyboard.press('Escape')
			await web.locator('#wa-passkey-helper').waitFor({ state: 'detached' })

			// On another page.
			const other = await context.newPage()
			await other.goto(asked.page)
			const said = new Promise(fulfil => other.once('dialog', dialog => {
				fulfil(dialog.message())
				dialog.dismiss()
			}))
			const elsewhere = await context.newCDPSession(other)
			await pasteIntoConsole(elsewhere, script)
			assert.match(await said, /Open https:\/\/web\.whatsapp\.com/)

			await page.locator('#answer').fill('not the answer')
			await page.getByRole('button', { name: 'Link this device' }).click()
			await page.getByRole('alert').getByText('copy the whole answer').waitFor()
			await picture(page, 'page-refused', false)
			assert.equal(await devices(world.sim), 1)
		}
	}
]
