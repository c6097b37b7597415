/**
 * URL of the built JavaScript of a module that is started by URL (a worker, a child process), whether the caller
 * runs built or from TypeScript source, as it does under vitest. `dist` mirrors the package: `src/a.ts` is
 * `dist/a.js`, or `dist/src/a.js` in packages that also compile other folders.
 */
export function builtModule(callerUrl: string, relative: `./${string}.ts` | `../${string}.ts`): URL {
  const source = new URL(relative, callerUrl).href
  const built = source.replace(/\.ts$/, '.js')
  if (!callerUrl.endsWith('.ts')) return new URL(built)
  return new URL(
    built.replace(
      /\/packages\/([^/]+)\/src\//,
      (_, name: string) => `/packages/${name}/dist/${name === 'trainer' ? 'src/' : ''}`,
    ),
  )
}
