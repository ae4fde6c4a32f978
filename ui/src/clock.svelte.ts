// The present instant by the server's clock, renewed each second for countdowns: this computer's own may be wrong.
import { serverAhead } from './server_time'

class Clock {
  nowMs = $state(Date.now())
  private aheadMs: number | null = null

  /** The town's time, as far as the server has told it; before its first answer, this computer's. */
  now(): number {
    return Date.now() + (this.aheadMs ?? 0)
  }

  /** An answer's `Date` line, with when the question left and when the answer came, by this computer's clock. */
  hear(date: string | null, sentMs: number, receivedMs: number): void {
    const dateMs = date === null ? NaN : Date.parse(date)
    if (Number.isNaN(dateMs)) return
    this.aheadMs = serverAhead(this.aheadMs, dateMs, sentMs, receivedMs)
    this.nowMs = this.now()
  }
}

export const clock = new Clock()
setInterval(() => {
  clock.nowMs = clock.now()
}, 1000)
