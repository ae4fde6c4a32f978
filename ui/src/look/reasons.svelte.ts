// The session's own reasons as the keeper tells them: the one that holds, and recent ones. Nothing of them is stored here.
import { api } from '../api/client'
import type { HeldReason, Reasons } from '../api/types'
import { clock } from '../clock.svelte'

class OwnReasons {
  #told = $state<Reasons | null>(null)

  /** The reason under which other cameras may be looked at; the keeper has the last word. */
  get held(): HeldReason | null {
    const held = this.#told?.held ?? null
    return held !== null && clock.nowMs < Date.parse(held.until) ? held : null
  }

  get recent(): Reasons['recent'] {
    return this.#told?.recent ?? []
  }

  async load(): Promise<void> {
    try {
      this.#told = await api.reasons()
    } catch {
      // without them, the reason is stated by hand
      this.#told = null
    }
  }

  /** Its person is done with it. */
  async end(): Promise<void> {
    try {
      await api.endReason()
    } finally {
      await this.load()
    }
  }

  forget(): void {
    this.#told = null
  }
}

export const reasons = new OwnReasons()
