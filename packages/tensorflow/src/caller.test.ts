import { expect, test } from 'vitest'
import { callSite, callSiteOf } from './caller.ts'

test('the place is the innermost frame outside this folder, tfjs and Node', () => {
  const folder = import.meta.dirname
  const stack = [
    'Error: x',
    `    at Core.call (${folder}/core.ts:1:2)`,
    `    at file://${folder}/trace.js:3:4`,
    '    at Engine.runKernel (/app/node_modules/@tensorflow/tfjs-core/dist/tf-core.node.js:5:6)',
    '    at new Promise (<anonymous>)',
    '    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)',
    '    at block (/app/src/model/convnext.ts:7:8)',
    '    at main (/app/src/main.ts:9:1)',
  ].join('\n')
  expect(callSiteOf(stack)).toBe('block (/app/src/model/convnext.ts:7:8)')
  expect(callSiteOf('Error: x')).toBe('unknown place')
})

test('here it is this file', () => {
  expect(callSite()).toMatch(/caller\.test\.ts:\d+:\d+/)
})
