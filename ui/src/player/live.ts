// Plays one live camera: newest picture first, never more than a few seconds behind, comes back by itself.
import { ApiError, problemFrom } from '../api/problem'
import type { Problem, StreamKind } from '../api/types'
import type { StreamChoice } from './choice'
import { LIVE_KEEP_S, backoffSeconds, liveJump } from './ranges'
import { MseSink, UnsupportedCodec } from './sink'
import type { OpenedStream, OpenStream } from './stream'

export type LiveState = 'connecting' | 'key-frame' | 'playing' | 'silent' | 'again' | 'unsupported' | 'refused' | 'stopped'

export interface LiveStatus {
  state: LiveState
  /** From the camera's picture to the screen; `null` before the first picture. */
  delayS: number | null
  /** Wait before the next attempt, in state `again`. */
  retryS: number
  /** In states `again` and `refused`. */
  problem: Problem | null
  /** In state `unsupported`. */
  contentType: string | null
  /** The main stream's format while the sub-stream stands in for it. */
  standsInFor: string | null
}

/** No answer for this long: the camera's next key picture is waited for, and the tile says so. */
const KEY_FRAME_AFTER_MS = 1500
/** No byte for this long: the tile says so. Chunks come every 0.5 s. */
const SILENT_AFTER_MS = 4000
/** No byte for this long: the connection is begun again. */
const DEAD_AFTER_MS = 20000
const TICK_MS = 500

export class LivePlayer {
  private abort = new AbortController()
  private sink: MseSink | null = null
  private stream: OpenedStream | null = null
  private lastByteMs = 0
  private cycle = new AbortController()
  private status: LiveStatus = { state: 'connecting', delayS: null, retryS: 0, problem: null, contentType: null, standsInFor: null }

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly open: (kind: StreamKind) => OpenStream,
    private readonly choice: StreamChoice,
    private readonly tell: (status: LiveStatus) => void,
  ) {}

  start(): void {
    void this.live()
  }

  stop(): void {
    this.abort.abort()
    this.cycle.abort()
    this.sink?.close()
    this.sink = null
  }

  private async live(): Promise<void> {
    const timer = setInterval(() => this.tick(), TICK_MS)
    let attempt = 0
    while (!this.abort.signal.aborted) {
      this.cycle = new AbortController()
      let problem: Problem | null = null
      try {
        this.change({ state: 'connecting', problem: null })
        await this.once()
      } catch (error) {
        if (this.abort.signal.aborted) break
        if (error instanceof UnsupportedCodec ? this.choice.refused(error.contentType) : this.choice.absent(error)) {
          this.endCycle()
          continue
        }
        if (error instanceof UnsupportedCodec) {
          this.change({ state: 'unsupported', contentType: error.contentType })
          break
        }
        problem = problemFrom(error)
        if (error instanceof ApiError && [401, 403, 410].includes(problem.status)) {
          this.change({ state: 'refused', problem, delayS: null })
          break
        }
      }
      if (this.status.state === 'playing' || this.status.state === 'silent') attempt = 0
      attempt += 1
      this.endCycle()
      const retryS = backoffSeconds(attempt)
      this.change({ state: 'again', retryS, problem, delayS: null })
      await wait(retryS * 1000, this.abort.signal)
    }
    clearInterval(timer)
    this.endCycle()
    if (this.abort.signal.aborted) this.change({ state: 'stopped' })
  }

  /** One connection, from its first byte to its end. */
  private async once(): Promise<void> {
    const waits = setTimeout(() => this.change({ state: 'key-frame' }), KEY_FRAME_AFTER_MS)
    try {
      this.stream = await this.open(this.choice.kind)(this.cycle.signal)
    } finally {
      clearTimeout(waits)
    }
    this.sink = await MseSink.open(this.video, this.stream.contentType)
    this.lastByteMs = Date.now()
    this.change({ state: 'key-frame' })
    for (;;) {
      const bytes = await this.stream.read()
      if (bytes === null || this.abort.signal.aborted || this.cycle.signal.aborted) return
      this.lastByteMs = Date.now()
      await this.sink.append(bytes, LIVE_KEEP_S)
      this.follow()
    }
  }

  /** Keeps the picture near the newest end. */
  private follow(): void {
    if (this.sink === null) return
    const jump = liveJump(this.sink.ranges(), this.video.currentTime)
    if (jump !== null) this.video.currentTime = jump
    if (this.video.paused && this.sink.ranges().length > 0) void this.video.play().catch(() => {})
  }

  private tick(): void {
    if (this.sink === null) return
    this.follow()
    this.sink.evict(LIVE_KEEP_S)
    if (this.video.error !== null) this.cycle.abort()
    const silentMs = Date.now() - this.lastByteMs
    if (silentMs > DEAD_AFTER_MS) this.cycle.abort()
    else if (this.video.readyState >= 2) {
      this.change({ state: silentMs > SILENT_AFTER_MS ? 'silent' : 'playing', delayS: this.delayS() })
    }
  }

  private delayS(): number | null {
    const origin = this.stream?.originMs ?? null
    if (origin === null || this.stream === null) return null
    const pictureMs = origin + this.video.currentTime * 1000
    return Math.max(0, (Date.now() - this.stream.clockAheadMs - pictureMs) / 1000)
  }

  private endCycle(): void {
    this.cycle.abort()
    this.sink?.close()
    this.sink = null
    this.stream = null
  }

  private change(part: Partial<LiveStatus>): void {
    this.status = { ...this.status, ...part, standsInFor: this.choice.standsInFor }
    this.tell(this.status)
  }
}

export function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
