import { networkInterfaces } from 'node:os'
import { renderUnicodeCompact } from 'uqr'

type Interfaces = ReturnType<typeof networkInterfaces>

/** Networks within the machine, as containers and virtual machines have them: no phone is in one. */
const isVirtual = (name: string): boolean => /^(docker|br-|veth|virbr|vmnet|vboxnet|cni|flannel|podman|lxc)/.test(name)

/** IPv4 addresses that other devices reach this machine by; those of virtual networks last. */
export function lanAddresses(interfaces: Interfaces): string[] {
  const found = Object.entries(interfaces).flatMap(([name, addresses = []]) =>
    addresses
      // What a machine gives itself that found no router.
      .filter(({ family, internal, address }) => family === 'IPv4' && !internal && !address.startsWith('169.254.'))
      .map(({ address }) => ({ address, virtual: isVirtual(name) })),
  )
  return found.toSorted((a, b) => Number(a.virtual) - Number(b.virtual)).map(({ address }) => address)
}

export interface Welcome {
  /** Where the service listens, as `http://host:port`. */
  readonly address: string
  readonly lan: boolean
  /** Whether a person reads along. */
  readonly terminal: boolean
  readonly interfaces?: Interfaces
}

/** What a person is told beside the log once the service answers: where to open it, for the network with a QR code. */
export function welcome({ address, lan, terminal, interfaces = networkInterfaces() }: Welcome): string[] {
  const local = new URL(address)
  if (/^(127\.|0\.0\.0\.0$|\[::1?\]$)/.test(local.hostname)) local.hostname = 'localhost'
  const opened = terminal ? [`open ${local.origin} in a browser`] : []
  if (!lan) return opened
  const addresses = lanAddresses(interfaces).map((host) => `http://${host}:${local.port || '80'}`)
  if (addresses.length === 0) return [...opened, 'this machine is in no network: other devices cannot reach it']
  const others = `from other devices in this network: ${addresses.join(' or ')} (everyone in it can use this service)`
  return [...opened, others, ...(terminal ? [qrCode(addresses[0]!)] : [])]
}

/** White on black whatever the colours of the terminal are: not every camera reads a code that is inverted. */
const qrCode = (text: string): string =>
  renderUnicodeCompact(text, { border: 2 })
    .split('\n')
    .map((line) => `\u001B[97;40m${line}\u001B[0m`)
    .join('\n')
