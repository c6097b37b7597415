import type { networkInterfaces } from 'node:os'
import { describe, expect, it } from 'vitest'
import { lanAddresses, welcome } from './welcome.ts'

type Address = NonNullable<ReturnType<typeof networkInterfaces>[string]>[number]
const at = (address: string, internal = false): Address =>
  ({ address, internal, family: address.includes(':') ? 'IPv6' : 'IPv4', netmask: '', mac: '', cidr: null }) as Address

const interfaces = {
  lo: [at('127.0.0.1', true), at('::1', true)],
  docker0: [at('172.17.0.1')],
  eth0: [at('10.0.0.7'), at('fe80::1')],
  wlan0: [at('192.168.1.5')],
  usb0: [at('169.254.3.4')],
  gone: undefined,
}
const base = { address: 'http://127.0.0.1:3000', lan: false, terminal: true, interfaces }

it('other devices reach the machine by its IPv4 addresses, those of containers last', () => {
  expect(lanAddresses(interfaces)).toEqual(['10.0.0.7', '192.168.1.5', '172.17.0.1'])
})

describe('a person is told', () => {
  it.each([
    ['http://127.0.0.1:3000', 'http://localhost:3000'],
    ['http://0.0.0.0:8080', 'http://localhost:8080'],
    ['http://[::]:3000', 'http://localhost:3000'],
    ['http://192.168.1.5:3000', 'http://192.168.1.5:3000'],
  ])('of %s to open %s', (address, opened) => {
    expect(welcome({ ...base, address })).toEqual([`open ${opened} in a browser`])
  })

  it('the address for a phone, with a code for its camera', () => {
    const [, line, code] = welcome({ ...base, address: 'http://0.0.0.0:4000', lan: true })
    expect(line).toBe(
      'from other devices in this network: http://10.0.0.7:4000 or http://192.168.1.5:4000 or http://172.17.0.1:4000 (everyone in it can use this service)',
    )
    expect(code).toMatch(/[▀▄█]/)
  })

  it('that there is no network', () => {
    expect(welcome({ ...base, lan: true, interfaces: { lo: interfaces.lo } }).at(-1)).toMatch(/in no network/)
  })
})

it('a log gets one plain line, and that for the network alone', () => {
  expect(welcome({ ...base, terminal: false })).toEqual([])
  const lines = welcome({ ...base, terminal: false, lan: true })
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/^[ -~]+$/)
})
