// What the whole console knows: the site, who is signed in, the screen in the address, what was last stated as reason.
import { api, whenSignedOut } from './api/client'
import { problemFrom } from './api/problem'
import { takeCameBack } from './api/provider'
import type { Problem, Session, Site } from './api/types'
import { reasons } from './look/reasons.svelte'
import { parseRoute, type Route } from './route'

class Console {
  site = $state<Site | null>(null)
  session = $state<Session | null>(null)
  /** False until the first answers are in. */
  ready = $state(false)
  problem = $state<Problem | null>(null)
  route = $state<Route>(parseRoute(location.hash))
  /** From the provider, to be handed in once. */
  cameBack = takeCameBack()
  /** The person signed out here, and may still be signed in at the provider. */
  signedOut = $state(false)
  /** Said on the sign-in screen after a session ended by itself. */
  sessionOver = $state(false)
  /** Who was here when the session locked: proposed on the sign-in screen, which keeps the address as it was. */
  lockedName = $state('')

  async begin(): Promise<void> {
    this.problem = null
    try {
      this.site = await api.site()
      this.session = await api.session()
      this.ready = true
    } catch (error) {
      this.problem = problemFrom(error)
    }
  }

  /** Nobody moved: the screen goes, the address stays, and whoever comes back proves who they are. */
  lock(): void {
    if (this.session === null) return
    this.lockedName = this.session.name
    this.session = null
    reasons.forget()
    this.sessionOver = true
  }

  async signOut(): Promise<void> {
    try {
      await api.signOut()
    } finally {
      this.session = null
      reasons.forget()
      this.lockedName = ''
      this.signedOut = true
      location.hash = '#/'
    }
  }
}

export const app = new Console()

addEventListener('hashchange', () => {
  app.route = parseRoute(location.hash)
})

whenSignedOut(() => {
  app.lock()
})
