// One MediaSource with one SourceBuffer on one video element; every change waits for the one before.
import { evictBefore, rangesOf, type Range } from './ranges'

/** This browser cannot decode what the camera sends. */
export class UnsupportedCodec extends Error {
  constructor(readonly contentType: string) {
    super(`this browser does not play \`${contentType}\``)
  }
}

export class MseSink {
  private work: Promise<void> = Promise.resolve()
  private closed = false

  private constructor(
    private readonly video: HTMLVideoElement,
    private readonly source: MediaSource,
    private readonly buffer: SourceBuffer,
    private readonly url: string,
  ) {}

  static async open(video: HTMLVideoElement, contentType: string): Promise<MseSink> {
    if (!('MediaSource' in window) || !MediaSource.isTypeSupported(contentType)) throw new UnsupportedCodec(contentType)
    const source = new MediaSource()
    const url = URL.createObjectURL(source)
    const opened = new Promise((resolve) => source.addEventListener('sourceopen', resolve, { once: true }))
    video.src = url
    await opened
    return new MseSink(video, source, source.addSourceBuffer(contentType), url)
  }

  ranges(): Range[] {
    // A closed MediaSource has no readable buffer.
    return this.closed || this.source.readyState === 'closed' ? [] : rangesOf(this.buffer.buffered)
  }

  /** Appends; when memory is full, drops what is behind the picture and tries once more. */
  append(bytes: Uint8Array, keepS: number): Promise<void> {
    return this.enqueue(async () => {
      try {
        await this.change(() => this.buffer.appendBuffer(bytes as Uint8Array<ArrayBuffer>))
      } catch (error) {
        if (!(error instanceof DOMException) || error.name !== 'QuotaExceededError') throw error
        await this.remove(Math.max(0, this.video.currentTime - Math.min(5, keepS)))
        await this.change(() => this.buffer.appendBuffer(bytes as Uint8Array<ArrayBuffer>))
      }
    })
  }

  evict(keepS: number): void {
    const limit = evictBefore(this.ranges(), this.video.currentTime, keepS)
    if (limit !== null) void this.enqueue(() => this.remove(limit)).catch(() => {})
  }

  /** No more bytes will come: the video element may report its end. */
  end(): Promise<void> {
    return this.enqueue(async () => {
      if (this.source.readyState === 'open') this.source.endOfStream()
    })
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    URL.revokeObjectURL(this.url)
    if (this.video.src === this.url) {
      this.video.removeAttribute('src')
      this.video.load()
    }
  }

  private enqueue(step: () => Promise<void>): Promise<void> {
    const next = this.work.then(() => (this.closed ? undefined : step()))
    this.work = next.catch(() => {})
    return next
  }

  private async remove(before: number): Promise<void> {
    if (before > 0) await this.change(() => this.buffer.remove(0, before))
  }

  private change(act: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = () => {
        this.buffer.removeEventListener('updateend', done)
        this.buffer.removeEventListener('error', failed)
        resolve()
      }
      const failed = () => {
        this.buffer.removeEventListener('updateend', done)
        this.buffer.removeEventListener('error', failed)
        reject(new Error('the browser could not read these pictures'))
      }
      this.buffer.addEventListener('updateend', done)
      this.buffer.addEventListener('error', failed)
      try {
        act()
      } catch (error) {
        this.buffer.removeEventListener('updateend', done)
        this.buffer.removeEventListener('error', failed)
        reject(error)
      }
    })
  }
}
