// Runes everywhere; styles live in src/style.css, never in a component (CSP: style-src 'self').
export default {
  compilerOptions: { runes: true },
}
