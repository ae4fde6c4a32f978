// The automatic lock: how long is left, and that a person moved is told to the server, at most each half minute.
import { api } from './api/client'
import { clock } from './clock.svelte'
import { app } from './console.svelte'

const TELL_MS = 30_000
const LOOK_MS = 1_000

class Lock {
  /** Until the session locks; `null` where nobody is signed in. */
  leftMs = $state<number | null>(null)
  #movedMs = 0
  #toldMs = 0

  watch(): () => void {
    const moved = () => (this.#movedMs = Date.now())
    for (const kind of ['pointerdown', 'pointermove', 'keydown', 'wheel']) addEventListener(kind, moved, { passive: true })
    const timer = setInterval(() => this.#look(), LOOK_MS)
    return () => {
      clearInterval(timer)
      for (const kind of ['pointerdown', 'pointermove', 'keydown', 'wheel']) removeEventListener(kind, moved)
    }
  }

  #look(): void {
    const session = app.session
    this.leftMs = session === null ? null : Math.max(0, Date.parse(session.locks_at) - clock.nowMs)
    if (session === null) return
    if (this.leftMs === 0) return app.lock()
    if (this.#movedMs > this.#toldMs && Date.now() - this.#toldMs > TELL_MS) void this.#tell()
  }

  async #tell(): Promise<void> {
    this.#toldMs = Date.now()
    try {
      const session = await api.active()
      if (app.session !== null) app.session = session
    } catch {
      // a 401 signs out by itself; else it is told again with the next movement
      this.#toldMs = 0
    }
  }
}

export const lock = new Lock()
