import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const ownFolder = dirname(fileURLToPath(import.meta.url))

/** Where in the user's code the running call comes from: the innermost frame outside this folder, tfjs and Node. */
export function callSite(): string {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 100
  const stack = new Error('call site').stack ?? ''
  Error.stackTraceLimit = limit
  return callSiteOf(stack)
}

export function callSiteOf(stack: string): string {
  const frames = stack
    .split('\n')
    .slice(1)
    .map((line) => line.trim().replace(/^at /, ''))
  return frames.find((frame) => !isOurs(frame)) ?? 'unknown place'
}

function isOurs(frame: string): boolean {
  const path = decodeURI(frame.replace('file://', ''))
  if (
    path.includes('node:') ||
    path.includes('@tensorflow') ||
    path.includes('<anonymous>') ||
    path.startsWith('new Promise')
  )
    return true
  return path.includes(`${ownFolder}/`) && !/\.test\.[tj]s/.test(path)
}
