// Tests of pure logic only: no browser, no Svelte compiler. vitest 3 is the last for Node 20; `overrides` in package.json
// gives it our vite 8, so that no second bundler with its own list of platforms stands in the lock file.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { include: ['tests/**/*.test.ts'], environment: 'node' },
})
