// Starts the console.
import { mount } from 'svelte'
import App from './App.svelte'
import './style.css'
import './screens.css'

const target = document.getElementById('app')
if (target === null) throw new Error('the page has no element `app`')
mount(App, { target })
