// Adds the bearer token to every request, for test suites that cannot: everything else, Host and
// Origin too, goes through as it came.
import http from 'node:http'

export const proxy = (target, token) =>
  new Promise((resolve) => {
    const server = http.createServer((request, response) => {
      const headers = { ...request.headers, authorization: `Bearer ${token}` }
      const options = { host: target.hostname, port: target.port, path: request.url, method: request.method, headers }
      const forwarded = http.request(options, (answer) => {
        response.writeHead(answer.statusCode, answer.headers)
        answer.pipe(response)
      })
      forwarded.on('error', () => response.destroy())
      response.on('close', () => forwarded.destroy())
      request.pipe(forwarded)
    })
    server.listen(0, '127.0.0.1', () => resolve(server))
  })
