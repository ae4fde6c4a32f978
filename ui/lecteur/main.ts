// Starts the player with the manifest that the page carries, or without one: then the folder is asked for first.
import { mount } from 'svelte'
import App from './App.svelte'
import '../src/style.css'
import './player.css'

const target = document.getElementById('app')
if (target === null) throw new Error('the page has no element `app`')
mount(App, { target, props: { carried: carried() } })

/** What stands in the page's own data: JSON of the manifest without its files, or `null`. */
function carried(): unknown {
  try {
    return JSON.parse(document.getElementById('bordereau')?.textContent ?? 'null')
  } catch {
    return null
  }
}
