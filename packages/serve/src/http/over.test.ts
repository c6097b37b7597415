import { connect } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { solid } from '../testing/pictures.ts'
import { startService, until, type RunningService } from '../testing/service.ts'

let service: RunningService

beforeAll(async () => (service = await startService({ MODEL: 'slow', FLOWERS_WORKERS: '1' })))
afterAll(() => service.close())

it('requests that wait behind others on a connection that closes are over, each once', async () => {
  const picture = await solid('#ff0000')
  const head = `POST /classify HTTP/1.1\r\nhost: x\r\ncontent-type: image/jpeg\r\ncontent-length: ${picture.length}\r\n\r\n`
  const { release } = service.workers.hold()
  const inFlight = (): Promise<number | undefined> => service.metric('flowers_http_requests_in_flight')
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
  socket.write(Buffer.concat(Array.from({ length: 5 }, () => Buffer.concat([Buffer.from(head), picture]))))
  await until(async () => (await inFlight()) === 6)
  socket.destroy()
  await until(async () => (await inFlight()) === 1)
  release()
  await until(async () => (await service.metric('flowers_queue_depth')) === 0)
  const left = 'flowers_http_request_duration_seconds_count{method="POST",route="/classify",status="499"}'
  expect(await service.metric(left)).toBe(5)
  expect(await inFlight()).toBe(1)
})
