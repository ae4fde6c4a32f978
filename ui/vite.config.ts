// Builds the console into dist: relative paths, no inline script, no data: address, so that the strict CSP holds.
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

export default defineConfig({
  base: './',
  plugins: [svelte()],
  build: {
    outDir: 'dist',
    target: 'es2022',
    // `default-src 'self'` allows no data: address.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
})
