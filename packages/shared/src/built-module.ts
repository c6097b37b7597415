/**
 * URL of the built JavaScript of a module that is started by URL (a worker, a child process), whether the caller
 * runs built or from TypeScript source, as it does under vitest. `dist` mirrors `src`.
 */
export function builtModule(callerUrl: string, relative: `./${string}.ts` | `../${string}.ts`): URL {
  const built = new URL(relative, callerUrl).href.replace(/\.ts$/, '.js')
  return new URL(callerUrl.endsWith('.ts') ? built.replace(/(\/packages\/[^/]+)\/src\//, '$1/dist/') : built)
}
