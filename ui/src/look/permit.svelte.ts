// A look in force: asked of the gate, counted down, ended by hand, by its time or by leaving the screen.
import { api } from '../api/client'
import { problemFrom } from '../api/problem'
import type { Look, LookRequest, Problem } from '../api/types'
import { clock } from '../clock.svelte'
import { app } from '../console.svelte'

export class LookInForce {
  look = $state<Look | null>(null)
  problem = $state<Problem | null>(null)
  asking = $state(false)
  /** Why no look is in force any more. */
  over = $state<'expired' | 'ended' | null>(null)
  private timer: ReturnType<typeof setTimeout> | null = null

  /** True when the gate has agreed; otherwise `problem` says why not. */
  async ask(request: LookRequest): Promise<boolean> {
    this.asking = true
    this.problem = null
    try {
      const look = await api.look(request)
      await this.end(null)
      app.stated = { purpose: request.purpose, reason: request.reason }
      this.look = look
      this.timer = setTimeout(() => void this.end('expired'), Math.max(0, Date.parse(look.expires_at) - clock.now()))
      return true
    } catch (error) {
      this.problem = problemFrom(error)
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
}
