import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readConfig, settings } from '@flowers/serve/config'
import { planThreads, sessionBytes } from '@flowers/serve/engine/plan'
import { listModels, readManifest, resolveModel } from '@flowers/shared/model/package'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'

// The files of deploy/ repeat what the code decides; here they are held against it.

interface Resource {
  readonly kind: string
  // oxlint-disable-next-line typescript/no-explicit-any -- resources of many kinds, whose schemas `npm run check` knows
  readonly spec: any
}

const path = (name: string): string => fileURLToPath(new URL(`../deploy/${name}`, import.meta.url))
const text = (name: string): string => readFileSync(path(name), 'utf8')
const yaml = (name: string): Resource => parse(text(name)) as Resource

const models = fileURLToPath(new URL('../models', import.meta.url))
/** Bytes that a session of each model that is shipped needs. */
const sessions = await Promise.all(
  (await listModels(models)).map(async ({ name }) => {
    const { files, preprocessing } = await readManifest((await resolveModel(models, name)).folder)
    return sessionBytes(files['onnx/model.onnx']!.bytes, preprocessing.size)
  }),
)

const pod = yaml('kubernetes/base/deployment.yaml').spec.template.spec
const [container] = pod.containers
const job = yaml('kubernetes/trainer/job.yaml').spec
const variables = Object.fromEntries(
  (container.env as { name: string; value?: string }[]).map(({ name, value }) => [name, value]),
)
const image = Object.fromEntries(
  [...text('image/serve.Dockerfile').matchAll(/^ENV (.*)$/gm)].flatMap(([, line = '']) =>
    line.split(' ').map((pair) => pair.split('=')),
  ),
) as Record<string, string>

describe('the service in a cluster', () => {
  it('is given variables that it knows', () => {
    const known = Object.values(settings).map(({ variable }) => variable) as string[]
    expect(Object.keys(variables).filter((name) => !known.includes(name))).toEqual([])
    expect(readConfig([], { ...image, ...variables })).toMatchObject({
      host: '0.0.0.0',
      port: container.ports[0].containerPort,
    })
  })

  it('may stop for longer than it takes', () => {
    const config = readConfig([], { ...image, ...variables })!
    const lastAnswersMs = 1000
    const needed = config.drainDelayMs + config.shutdownGraceMs + lastAnswersMs
    expect(pod.terminationGracePeriodSeconds - container.lifecycle.preStop.sleep.seconds).toBeGreaterThan(needed / 1000)
    const composed = readConfig([], image)!
    const { services } = parse(text('compose.yaml')) as { services: Record<string, { stop_grace_period: string }> }
    expect(parseInt(services['serve']!.stop_grace_period)).toBeGreaterThan(
      (composed.shutdownGraceMs + lastAnswersMs) / 1000,
    )
  })

  it('has as many cores as workers, whatever model it ships', () => {
    const { limits, requests } = container.resources
    expect(requests).toEqual(limits)
    const memory = Number(/^(\d+)Gi$/.exec(limits.memory)![1]) * 2 ** 30
    for (const bytes of sessions) {
      const plan = planThreads({ cores: Number(limits.cpu), memory, source: 'cgroup v2' }, bytes)
      expect(plan).toMatchObject({ workers: Number(limits.cpu), threads: 1 })
    }
  })

  it('is the same pod under KServe', () => {
    const { minReplicas, maxReplicas, labels, ...predictor } = yaml('kubernetes/overlays/kserve/inference-service.yaml')
      .spec.predictor
    const scale = yaml('kubernetes/base/horizontal-pod-autoscaler.yaml').spec
    expect({ minReplicas, maxReplicas }).toEqual({ minReplicas: scale.minReplicas, maxReplicas: scale.maxReplicas })
    expect(labels).toEqual(yaml('kubernetes/base/network-policy.yaml').spec.podSelector.matchLabels)
    expect({ ...predictor, containers: [{ ...predictor.containers[0], name: container.name }] }).toEqual(pod)
  })

  it('scales by a metric that the adapter makes of a recorded series', () => {
    const [metric] = yaml('kubernetes/base/horizontal-pod-autoscaler.yaml').spec.metrics
    const adapter = text('kubernetes/overlays/prometheus-operator/adapter-values.yaml')
    expect(adapter).toContain(`as: ${metric.pods.metric.name}\n`)
    const series = /__name__="([^"]+)"/.exec(adapter)![1]
    expect(text('prometheus/rules/scaling.yml')).toContain(`record: ${series}\n`)
  })
})

describe('a training job', () => {
  const actions = (code: number): string[] =>
    (job.podFailurePolicy.rules as { action: string; onExitCodes?: { values: number[] } }[])
      .filter(({ onExitCodes }) => onExitCodes?.values.includes(code))
      .map(({ action }) => action)

  it('goes on after SIGTERM, gives up on wrong usage, and counts failures', () => {
    expect(actions(143)).toEqual(['Ignore'])
    expect(actions(2)).toEqual(['FailJob'])
    expect(actions(1)).toEqual([])
    expect(job.template.spec.restartPolicy).toBe('Never')
  })

  it('starts and goes on by one command, in a folder of its volume', () => {
    const [{ args, volumeMounts }] = job.template.spec.containers
    expect(args).toContain('--resume-if-present')
    const out = (args as string[]).find((argument) => argument.startsWith('--out='))!.slice('--out='.length)
    const mounts = (volumeMounts as { mountPath: string; readOnly?: boolean }[]).filter(({ readOnly }) => !readOnly)
    expect(mounts.some(({ mountPath }) => out.startsWith(`${mountPath}/`))).toBe(true)
  })
})
