import cors from '@fastify/cors'
import fastify from 'fastify'
import { expect, it } from 'vitest'
import { varyByAccept } from './vary.ts'

it('keeps what CORS says', async () => {
  const app = fastify()
  await app.register(cors, { origin: ['https://one.example', 'https://two.example'] })
  app.get('/', (_request, reply) => {
    varyByAccept(reply)
    return 'ok'
  })
  const { headers } = await app.inject({ url: '/', headers: { origin: 'https://one.example' } })
  expect(headers['vary']).toBe('Origin, accept')
  await app.close()
})

it('stands alone without', async () => {
  const app = fastify()
  app.get('/', (_request, reply) => {
    varyByAccept(reply)
    return 'ok'
  })
  expect((await app.inject('/')).headers['vary']).toBe('accept')
  await app.close()
})
