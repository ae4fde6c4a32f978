// Replays one camera's recorded span: reads with back-pressure, jumps over gaps and says so, seeks by asking anew.
import { replayUrl } from '../api/client'
import { problemFrom } from '../api/problem'
import type { Problem } from '../api/types'
import type { StreamChoice } from './choice'
import { wait } from './live'
import { REPLAY_KEEP_S, contains, gapJump, mayReadOn } from './ranges'
import { MseSink, UnsupportedCodec } from './sink'
import { httpStream } from './stream'

export type ReplayState = 'loading' | 'playing' | 'paused' | 'ended' | 'failed' | 'unsupported'

export interface ReplayStatus {
  state: ReplayState
  /** UTC of the picture on the screen, ms. */
  pictureMs: number | null
  /** The last gap jumped over since the last seek. */
  jumped: { fromMs: number; toMs: number } | null
  problem: Problem | null
  contentType: string | null
  /** The main stream's format while the sub-stream stands in for it. */
  standsInFor: string | null
}

export interface ReplaySpan {
  permit: string
  camera: string
  fromMs: number
  toMs: number
}

/** Used until two pictures have told the real length of a frame. */
const FRAME_S_DEFAULT = 1 / 25
const TICK_MS = 100

export class ReplayPlayer {
  private abort = new AbortController()
  private sink: MseSink | null = null
  private originMs = 0
  private wantPlay = true
  private speed = 1
  private frameS = FRAME_S_DEFAULT
  private lastFrameS: number | null = null
  private timer: ReturnType<typeof setInterval>
  private closed = false
  private status: ReplayStatus = { state: 'loading', pictureMs: null, jumped: null, problem: null, contentType: null, standsInFor: null }

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly span: ReplaySpan,
    private readonly choice: StreamChoice,
    private readonly tell: (status: ReplayStatus) => void,
  ) {
    this.timer = setInterval(() => this.tick(), TICK_MS)
    this.watchFrames()
  }

  /** Shows the picture of this instant: from memory if it is there, otherwise by a new request. */
  seek(atMs: number): void {
    const target = Math.min(Math.max(atMs, this.span.fromMs), this.span.toMs)
    const media = (target - this.originMs) / 1000
    this.lastFrameS = null
    if (this.sink !== null && contains(this.sink.ranges(), media)) {
      this.video.currentTime = media
      this.change({ jumped: null, pictureMs: target })
      this.resume()
      return
    }
    this.choice.renew()
    void this.openAt(target)
  }

  play(): void {
    this.wantPlay = true
    this.resume()
  }

  pause(): void {
    this.wantPlay = false
    this.video.pause()
    this.change({ state: this.status.state === 'playing' ? 'paused' : this.status.state })
  }

  skip(seconds: number): void {
    const now = this.pictureMs() ?? this.status.pictureMs
    if (now !== null) this.seek(now + seconds * 1000)
  }

  setSpeed(speed: number): void {
    this.speed = speed
    this.video.playbackRate = speed
  }

  /** One picture forward or back; play stops. */
  step(direction: 1 | -1): void {
    this.pause()
    const media = this.video.currentTime + direction * this.frameS
    if (this.sink !== null && contains(this.sink.ranges(), media)) this.video.currentTime = media
    else if (this.sink !== null) this.seek(this.originMs + media * 1000)
  }

  close(): void {
    this.closed = true
    clearInterval(this.timer)
    this.abort.abort()
    this.sink?.close()
    this.sink = null
  }

  private async openAt(atMs: number): Promise<void> {
    this.abort.abort()
    const abort = new AbortController()
    this.abort = abort
    this.sink?.close()
    this.sink = null
    this.change({ state: 'loading', pictureMs: atMs, jumped: null, problem: null })
    try {
      const url = replayUrl(this.span.permit, this.span.camera, atMs, this.span.toMs, this.choice.kind)
      const stream = await httpStream(url, 'Vigie-From')(abort.signal)
      if (abort.signal.aborted) return
      const sink = await MseSink.open(this.video, stream.contentType)
      if (abort.signal.aborted) return sink.close()
      this.sink = sink
      this.originMs = stream.originMs ?? atMs
      this.video.playbackRate = this.speed
      this.video.currentTime = Math.max(0, (atMs - this.originMs) / 1000)
      await this.feed(sink, stream.read, abort.signal)
    } catch (error) {
      if (abort.signal.aborted) return
      // a camera may change its format in mid-stream: then it goes on where the picture is
      const reached = this.sink === null ? atMs : Math.max(atMs, this.pictureMs() ?? atMs)
      const other = error instanceof UnsupportedCodec ? this.choice.refused(error.contentType) : this.choice.absent(error)
      if (other) await this.openAt(reached)
      else if (error instanceof UnsupportedCodec) this.change({ state: 'unsupported', contentType: error.contentType })
      else this.change({ state: 'failed', problem: problemFrom(error) })
    }
  }

  private async feed(sink: MseSink, read: () => Promise<Uint8Array | null>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (!mayReadOn(sink.ranges(), this.video.currentTime)) {
        await wait(TICK_MS * 2, signal)
        continue
      }
      const bytes = await read()
      if (signal.aborted) return
      if (bytes === null) return sink.end()
      await sink.append(bytes, REPLAY_KEEP_S)
    }
  }

  private tick(): void {
    const sink = this.sink
    if (sink === null) return
    const gap = gapJump(sink.ranges(), this.video.currentTime)
    if (gap !== null && !this.video.seeking) {
      this.change({ jumped: { fromMs: this.originMs + gap.from * 1000, toMs: this.originMs + gap.to * 1000 } })
      this.video.currentTime = gap.to + 0.01
    }
    sink.evict(REPLAY_KEEP_S)
    if (this.video.error !== null) {
      this.change({ state: 'failed', problem: brokenStream() })
      return
    }
    if (this.video.readyState < 2) return
    if (this.wantPlay && this.video.paused && !this.video.ended) this.resume()
    const state = this.video.ended ? 'ended' : this.video.paused ? 'paused' : 'playing'
    if (this.status.state !== 'failed') this.change({ state, pictureMs: this.pictureMs() })
  }

  private resume(): void {
    if (this.wantPlay && this.sink !== null) void this.video.play().catch(() => {})
  }

  private pictureMs(): number | null {
    return this.sink === null ? null : this.originMs + this.video.currentTime * 1000
  }

  /** Learns the length of a frame from the pictures shown, so that a step is one picture. */
  private watchFrames(): void {
    if (this.closed || !('requestVideoFrameCallback' in this.video)) return
    this.video.requestVideoFrameCallback((_now, frame) => {
      const length = this.lastFrameS === null ? 0 : frame.mediaTime - this.lastFrameS
      // Shorter than 8 ms or longer than 0.5 s is a seek or a dropped picture.
      if (length > 0.008 && length < 0.5 && this.video.playbackRate <= 1) this.frameS = length
      this.lastFrameS = frame.mediaTime
      this.watchFrames()
    })
  }

  private change(part: Partial<ReplayStatus>): void {
    if (this.closed) return
    this.status = { ...this.status, ...part, standsInFor: this.choice.standsInFor }
    this.tell(this.status)
  }
}

function brokenStream(): Problem {
  return {
    type: 'about:blank#decode',
    title: 'pictures not readable',
    status: 0,
    title_fr: 'Ces images ne peuvent pas être lues ici',
    title_en: 'These pictures cannot be played here',
    detail_fr: 'Le navigateur a rejeté la suite d’images. Choisissez un autre instant ; si cela se répète, prévenez l’administrateur.',
    detail_en: 'The browser rejected the pictures. Choose another instant; if it happens again, tell the administrator.',
  }
}
