// Break-glass as the server tells it, asked for again every five seconds while somebody is signed in: it must be seen at once.
import { api } from '../api/client'
import { problemFrom } from '../api/problem'
import type { BreakGlass, BreakGlassLine, Problem } from '../api/types'
import { app } from '../console.svelte'

const RENEW_MS = 5000

class Glass {
  view = $state<BreakGlass | null>(null)
  problem = $state<Problem | null>(null)

  /** What is open now. */
  get open(): BreakGlassLine[] {
    return (this.view?.lines ?? []).filter((line) => line.state === 'open')
  }

  /** Demands that wait for a second person. */
  get asked(): BreakGlassLine[] {
    return (this.view?.lines ?? []).filter((line) => line.state === 'asked')
  }

  /** What waits for the data-protection officer. */
  get ended(): BreakGlassLine[] {
    return (this.view?.lines ?? []).filter((line) => line.state === 'ended')
  }

  /** The clocks of browser and server may differ by a second: never more than it is open for. */
  leftMs(line: BreakGlassLine, nowMs: number): number {
    return Math.min(Date.parse(line.until ?? line.at) - nowMs, 1000 * (this.view?.seconds ?? 0))
  }

  async load(): Promise<void> {
    if (app.session === null) {
      this.view = null
      return
    }
    try {
      this.view = await api.breakGlass()
      this.problem = null
    } catch (error) {
      this.problem = problemFrom(error)
    }
  }

  watch(): () => void {
    void this.load()
    const timer = setInterval(() => void this.load(), RENEW_MS)
    return () => clearInterval(timer)
  }
}

export const glass = new Glass()
