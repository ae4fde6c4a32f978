// A look in force: asked of the gate, counted down, ended by hand, by its time or by leaving the screen.
import { api } from '../api/client'
import { problemFrom } from '../api/problem'
import type { Look, LookRequest, Problem } from '../api/types'
import { clock } from '../clock.svelte'
import { reasons } from './reasons.svelte'

/** The keeper asked nothing of the gate: no reason holds for these cameras. */
const NO_REASON_HOLDS = 409

export class LookInForce {
  look = $state<Look | null>(null)
  problem = $state<Problem | null>(null)
  /** Why the reason has to be stated (again). */
  cause = $state<Problem | null>(null)
  asking = $state(false)
  /** Why no look is in force any more. */
  over = $state<'expired' | 'ended' | null>(null)
  private timer: ReturnType<typeof setTimeout> | null = null

  /** True when the gate has agreed; otherwise `problem` says why not, or `cause` why a reason is needed. */
  async ask(request: LookRequest): Promise<boolean> {
    this.asking = true
    this.problem = null
    this.cause = null
    try {
      const look = await api.look(request)
      await this.end(null)
      this.look = look
      this.timer = setTimeout(() => void this.end('expired'), Math.max(0, Date.parse(look.expires_at) - clock.now()))
      void reasons.load()
      return true
    } catch (error) {
      const problem = problemFrom(error)
      if (problem.status === NO_REASON_HOLDS) this.cause = problem
      else this.problem = problem
      void reasons.load()
      return false
    } finally {
      this.asking = false
    }
  }

  async end(why: 'expired' | 'ended' | null): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer)
    const look = this.look
    this.look = null
    this.over = why
    if (look === null) return
    try {
      await api.endLook(look.permit)
    } catch {
      // A permit that is already gone has ended, which is what was asked; it also ends by itself.
    }
  }

  /** By hand: the look, and the reason with it, so that the next one is stated anew. */
  async stop(): Promise<void> {
    await this.end('ended')
    await reasons.end()
  }
}
