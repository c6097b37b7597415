import { readFile } from 'node:fs/promises'
import ort from 'onnxruntime-node'
import sharp from 'sharp'
import { z } from 'zod'
import { packageFile } from '../python/package-file.ts'
import { runPython } from '../python/python-program.ts'

const converterPackages = ['tf2onnx', 'onnx', 'onnxscript', 'onnxslim']

const printVersions =
  'import sys, json, importlib.metadata as m; print(json.dumps({name: m.version(name) for name in sys.argv[1:]}))'

/** Versions of everything that an exported file depends on, by name. */
export async function collectVersions(tensorflow: string, python: string): Promise<Record<string, string>> {
  const { version: flowers } = z
    .object({ version: z.string() })
    .parse(JSON.parse(await readFile(packageFile('package.json'), 'utf8')))
  const converter = z
    .record(z.string(), z.string())
    .parse(JSON.parse(await runPython(python, ['-c', printVersions, ...converterPackages], 'EXPORT_CONVERTER')))
  return {
    flowers,
    node: process.versions.node,
    tensorflow,
    ...converter,
    onnxruntime: ort.env.versions.node ?? ort.env.versions.common,
    sharp: sharp.versions.sharp ?? 'unknown',
    libvips: sharp.versions.vips,
  }
}
