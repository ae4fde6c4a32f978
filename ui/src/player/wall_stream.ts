// One response for the whole wall, shared out to the tiles; only used where the connection is HTTP/1.1.
import { ApiError, networkProblem } from '../api/problem'
import { wallUrl } from '../api/client'
import type { Problem, StreamKind } from '../api/types'
import { ByteQueue } from './byte_queue'
import { wait } from './live'
import { clockAheadMs } from './ranges'
import { isoMs, openMedia, type OpenedStream, type OpenStream } from './stream'
import { WALL_CONTENT_TYPE, WallParser, type WallRecord } from './wall_record'

/** Six connections are all that a browser opens over HTTP/1.1; one has to stay free for everything else. */
export const SINGLE_STREAMS_MAX_HTTP1 = 5
/** Tiles begin together: so long the one response waits to know of which cameras the sub-stream is wanted. */
const GATHER_MS = 50
/** A tile that leaves this much unread has stopped; its stream is begun again. */
const QUEUE_BYTES_MAX = 16 * 1024 * 1024

interface Share {
  queue: ByteQueue
  stream: OpenedStream | null
  /** Set while a tile waits for the head. */
  waiting: { resolve: (stream: OpenedStream) => void; reject: (error: unknown) => void } | null
  claimed: boolean
}

/** True when one connection carries any number of requests. */
export function connectionIsMultiplexed(): boolean {
  const navigation = performance.getEntriesByType('navigation')[0] as PerformanceNavigationTiming | undefined
  return navigation?.nextHopProtocol === 'h2' || navigation?.nextHopProtocol === 'h3'
}

export class WallStream {
  private shares = new Map<number, Share>()
  private running = false
  /** The response was asked for: another choice of streams needs another one. */
  private asked = false
  /** Cameras of which the sub-stream is wanted. */
  private sub = new Set<string>()
  private abort = new AbortController()
  /** The server knows no such address: the tiles use a response each. */
  unsupported = false

  constructor(
    private readonly permit: string,
    /** The permit's own list. */
    private readonly cameras: string[],
  ) {}

  /** The stream of the camera at this place in the permit's list. */
  open(place: number, kind: StreamKind): OpenStream {
    return (signal) =>
      new Promise((resolve, reject) => {
        this.want(this.cameras[place] ?? '', kind)
        // Init segments stand at the beginning: a tile that wants its stream a second time begins all again.
        if (this.shares.get(place)?.claimed === true) this.stop()
        if (!this.running) void this.run()
        const share = this.share(place)
        share.claimed = true
        if (share.stream !== null) resolve(share.stream)
        else share.waiting = { resolve, reject }
        signal.addEventListener('abort', () => {
          share.queue.close()
          reject(signal.reason)
        })
      })
  }

  private want(camera: string, kind: StreamKind): void {
    if (this.sub.has(camera) === (kind === 'sub')) return
    if (kind === 'sub') this.sub.add(camera)
    else this.sub.delete(camera)
    if (this.asked) this.stop()
  }

  stop(): void {
    this.abort.abort()
    this.running = false
    this.asked = false
    this.endAll(new ApiError(networkProblem()))
  }

  private async run(): Promise<void> {
    const abort = new AbortController()
    this.abort = abort
    this.running = true
    try {
      await wait(GATHER_MS, abort.signal)
      if (abort.signal.aborted) return
      this.asked = true
      const response = await openMedia(wallUrl(this.permit, [...this.sub]), abort.signal)
      const type = response.headers.get('content-type') ?? ''
      if (!type.startsWith(WALL_CONTENT_TYPE) || response.body === null) throw new ApiError(networkProblem())
      const ahead = clockAheadMs(response.headers.get('date'), Date.now())
      const reader = response.body.getReader()
      const parser = new WallParser()
      for (;;) {
        const { done, value } = await reader.read()
        if (done || abort.signal.aborted) break
        for (const record of parser.push(value)) this.deliver(record, ahead)
      }
      throw new ApiError(networkProblem())
    } catch (error) {
      if (abort.signal.aborted) return
      if (error instanceof ApiError && [404, 405, 501].includes(error.problem.status)) this.unsupported = true
      this.running = false
      this.asked = false
      this.endAll(error)
    }
  }

  private deliver(record: WallRecord, clockAhead: number): void {
    const share = this.share(record.camera)
    if (record.kind === 'bytes') {
      // A stream with a hole is of no use: its tile sees an end and begins again.
      if (!share.queue.push(record.payload)) share.queue.close()
    } else if (record.kind === 'head' && share.stream === null) {
      const head = json<{ content_type?: string; start?: string }>(record.payload)
      share.stream = {
        contentType: head?.content_type ?? 'video/mp4',
        originMs: isoMs(head?.start),
        clockAheadMs: clockAhead,
        read: () => share.queue.read(),
      }
      share.waiting?.resolve(share.stream)
      share.waiting = null
    } else if (record.kind === 'end') {
      this.shares.delete(record.camera)
      share.waiting?.reject(new ApiError(json<Problem>(record.payload) ?? networkProblem()))
      share.queue.close()
    }
  }

  private share(place: number): Share {
    const existing = this.shares.get(place)
    if (existing !== undefined) return existing
    const fresh = { queue: new ByteQueue(QUEUE_BYTES_MAX), stream: null, waiting: null, claimed: false }
    this.shares.set(place, fresh)
    return fresh
  }

  private endAll(error: unknown): void {
    const all = [...this.shares.values()]
    this.shares.clear()
    for (const share of all) {
      share.waiting?.reject(error)
      share.queue.close()
    }
  }
}

function json<T>(bytes: Uint8Array): T | null {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as T
  } catch {
    return null
  }
}
