import { cpus, platform, release, totalmem } from 'node:os'
import sharp from 'sharp'

/** What the result may depend on besides recipe and data: versions and machine. */
export async function describeEnvironment(tensorflow: {
  version: string
  device: string
}): Promise<Record<string, unknown>> {
  const processors = cpus()
  return {
    tensorflow: tensorflow.version,
    device: tensorflow.device,
    node: process.versions.node,
    sharp: sharp.versions.sharp ?? 'unknown',
    libvips: sharp.versions.vips,
    platform: `${platform()} ${release()}`,
    processor: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    started: new Date().toISOString(),
  }
}
