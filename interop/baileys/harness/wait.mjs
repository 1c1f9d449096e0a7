// Waiting with a limit and a name, so that a failure says what did not come.

export const STEP_TIMEOUT_MS = 60_000

/** Asks `look` until it answers something true; fails by the name of what was waited for. */
export async function until(what, look, timeoutMs = STEP_TIMEOUT_MS) {
	const deadline = Date.now() + timeoutMs
	for (;;) {
		const found = await look()
		if (found) {
			return found
		}
		if (Date.now() > deadline) {
			throw new Error(`waited ${timeoutMs} ms in vain: ${what}`)
		}
		await new Promise(fulfil => setTimeout(fulfil, 25))
	}
}

export function assert(holds, what) {
	if (!holds) {
		throw new Error(`does not hold: ${what}`)
	}
}
