import { createHash } from 'node:crypto'
import { Html, html } from '@flowers/shared/html'
import type { FastifyReply } from 'fastify'

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h2 { border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent); margin-top: 2.5rem; }
h3 { margin-bottom: 0.25rem; }
code, pre { font: 0.9em/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { overflow-x: auto; padding: 0.75rem; background: color-mix(in srgb, currentColor 7%, transparent); }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.75rem 0.25rem 0; }
tr { border-bottom: 1px solid color-mix(in srgb, currentColor 12%, transparent); }
.wide { overflow-x: auto; }
`

/** Kept out of the template of the page, since the policy has the hash of exactly this text. */
const styleElement = new Html(`<style>${style}</style>`)

const styleHash = createHash('sha256').update(style).digest('base64')

/** Allows only the style of the page itself: no script, no other host. */
const policy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

/** Sends a page that loads nothing else. */
export function sendPage(reply: FastifyReply, title: string, body: Html): FastifyReply {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${styleElement}
      </head>
      <body>
        <main>${body}</main>
      </body>
    </html> `
  return reply
    .headers({
      'content-security-policy': policy,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    })
    .type('text/html; charset=utf-8')
    .send(page.text)
}
