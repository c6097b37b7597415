import { configDefaults, defineConfig } from 'vitest/config'

const full = process.env['FLOWERS_FULL'] === '1'

// A running training step occupies one thread of libuv's pool; the rest decode photos. Read by each test process.
process.env['UV_THREADPOOL_SIZE'] ??= '8'

// Packages import each other's source, as the compiler does.
const conditions = ['@flowers/source', 'module', 'node', 'development|production']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: full
      ? ['packages/*/src/**/*.full.test.ts', 'tests/**/*.full.test.ts']
      : ['packages/*/src/**/*.test.ts', 'tests/**/*.test.ts'],
    exclude: [...configDefaults.exclude, '**/dist/**', ...(full ? [] : ['**/*.full.test.ts'])],
    // TensorFlow belongs to its process: every file gets one of its own. The long tests measure memory, one at a time.
    pool: 'forks',
    maxWorkers: full ? 1 : 2,
    testTimeout: full ? 30 * 60_000 : 180_000,
    hookTimeout: full ? 10 * 60_000 : 180_000,
  },
})
