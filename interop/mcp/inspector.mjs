// The Inspector, as a command: both transports in both eras of the protocol.

import assert from 'node:assert/strict'
import path from 'node:path'
import { run } from './processes.mjs'
import { withServer } from './server.mjs'

const SECONDS = 60

/** What is asked, and what the answer has to be: `{ code, result, error }`. */
const asked = {
  'tools/list --strict': {
    args: ['--strict', '--method', 'tools/list'],
    holds: ({ code, result }) => {
      // 6 would be a schema that some model cannot take.
      assert.equal(code, 0)
      const names = result.tools.map((tool) => tool.name)
      assert.ok(names.includes('send_message') && names.length >= 36, `${names.length} tools`)
      assert.ok(!names.some((name) => name.startsWith('test_')), 'the binary has the fixtures')
    }
  },
  'tools/call get_status': {
    args: call('get_status', {}),
    holds: ({ result }) => {
      assert.equal(result.structuredContent.linked, true)
      assert.equal(result.structuredContent.account.name, 'Ada')
    }
  },
  'tools/call search_contacts': {
    args: call('search_contacts', { query: 'Anna' }),
    holds: ({ result }) => {
      assert.equal(result.structuredContent.contacts[0].name, 'Anna Berg')
      assert.match(result.content[0].text, /Untrusted content/)
    }
  },
  'tools/call search_messages': {
    args: call('search_messages', { query: 'tomatoes' }),
    holds: ({ result }) => assert.match(result.content[0].text, /plant the tomatoes/)
  },
  'tools/call send_message, to somebody new': {
    args: call('send_message', { recipient: '+44 7700 900103', message: 'Hello' }),
    holds: ({ result }) => {
      assert.equal(result.structuredContent.success, false)
      assert.match(result.content[0].text, /^NOT done: .* draft /m)
    }
  },
  'tools/call get_chat, refused': {
    args: call('get_chat', { chat_jid: 'Nobody at all' }),
    holds: ({ code, result, error }) => {
      assert.equal(code, 5)
      assert.equal(error.code, 'tool_is_error')
      assert.match(result.content[0].text, /What to do:/)
    }
  },
  'resources/read': {
    args: ['--uri', 'wa://chats', '--method', 'resources/read'],
    holds: ({ result }) => assert.match(result.contents[0].text, /Anna Berg/)
  },
  'resources/read, refused': {
    args: ['--uri', 'file:///etc/passwd', '--method', 'resources/read'],
    holds: ({ code, result, error }) => {
      assert.notEqual(code, 0)
      assert.equal(result, undefined)
      assert.match(error.message, /there is no resource/)
    }
  },
  'prompts/get': {
    args: ['--prompt-name', 'catch_up', '--prompt-args', 'chat=Anna Berg', '--method', 'prompts/get'],
    holds: ({ result }) => assert.match(result.messages[0].content.text, /seedlings/)
  }
}

function call(tool, args) {
  return ['--tool-name', tool, '--tool-args-json', JSON.stringify(args), '--method', 'tools/call']
}

/** Makes the checks, each with a server of its own: both transports and both eras at once. */
export async function checks({ node, here, work, binary, check }) {
  const stdio = (ask) => ask([binary, '--', '--demo'])
  const http = (ask) =>
    withServer(binary, work, ({ url, token }) =>
      ask(['--transport', 'http', '--header', `Authorization: Bearer ${token}`, '--server-url', url])
    )
  await Promise.all([
    over('stdio', 'legacy', stdio),
    over('stdio', 'modern', stdio),
    over('http', 'legacy', http),
    over('http', 'modern', http)
  ])

  async function over(transport, era, server) {
    for (const [what, { args, holds }] of Object.entries(asked)) {
      const name = `inspector ${transport} ${era} ${what}`
      await check(name, () => server(async (target) => holds(await inspect(era, [...args, ...target]))))
    }
  }

  async function inspect(era, args) {
    const launcher = path.join(here, 'node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js')
    const options = ['--cli', '--format', 'json', '--quiet', '--protocol-era', era, '--stored-auth-only']
    // It keeps what it remembers in the home folder; it is to remember nothing of this machine's.
    const env = { ...process.env, HOME: path.join(work, 'home') }
    const done = await run(node, [launcher, ...options, ...args], { seconds: SECONDS, cwd: work, env })
    assert.notEqual(done.code, null, `no answer within ${SECONDS} s`)
    return { code: done.code, result: json(done.stdout)?.result, error: json(done.stderr)?.error }
  }
}

/** The line of a text that is an object. */
function json(text) {
  const line = text.split('\n').find((line) => line.startsWith('{'))
  return line === undefined ? undefined : JSON.parse(line)
}
