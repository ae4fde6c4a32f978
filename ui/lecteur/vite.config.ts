// Builds the player into one file, ../dist-lecteur/lecteur.html: script and style inline, each allowed by its own digest.
import { createHash } from 'node:crypto'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig, type Plugin } from 'vite'

/** What the program that makes a package replaces by the manifest. */
const PLACEHOLDER = '<script type="application/json" id="bordereau">null</script>'

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [svelte({ configFile: '../svelte.config.js' }), oneFile()],
  build: {
    outDir: '../dist-lecteur',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    cssCodeSplit: false,
    rolldownOptions: { output: { codeSplitting: false } },
  },
})

/** Takes script and style into the page, under a policy that allows nothing else but the package's own videos. */
function oneFile(): Plugin {
  return {
    name: 'one-file',
    enforce: 'post',
    generateBundle(_, bundle) {
      let [page, script, style] = ['', '', '']
      for (const [name, made] of Object.entries(bundle)) {
        if (made.type === 'chunk') script += made.code
        else if (name.endsWith('.css')) style += String(made.source)
        else if (name.endsWith('.html')) page = String(made.source)
        else this.error(`${name} would be a file beside the page`)
        delete bundle[name]
      }
      // Neither may end the element that it stands in.
      const scriptText = `\n${script.replace(/<\/(script)/gi, '<\\/$1').replace(/<!--/g, '<\\!--')}`
      const styleText = `\n${style}`
      const policy = [
        "default-src 'none'", `script-src ${digest(scriptText)}`, `style-src ${digest(styleText)}`, 'img-src blob: data:', "media-src 'self' file: blob:",
        "base-uri 'none'", "form-action 'none'",
      ].join('; ')
      const source = page
        .replace(/\s*<script type="module"[^>]*src="[^"]*"[^>]*><\/script>/g, '')
        .replace(/\s*<link rel="stylesheet"[^>]*>/g, '')
        .replace('%CSP%', policy)
        .replace('</head>', () => `  <style>${styleText}</style>\n  </head>`)
        .replace('</body>', () => `  <script type="module">${scriptText}</script>\n  </body>`)
      if (source.split(PLACEHOLDER).length !== 2) this.error('the page needs the place of the manifest exactly once')
      if (/(?:src|href)="(?!data:,)[^"]*"/.test(source.replace(scriptText, ''))) this.error('the page still refers to another file')
      this.emitFile({ type: 'asset', fileName: 'lecteur.html', source })
    },
  }
}

function digest(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}
