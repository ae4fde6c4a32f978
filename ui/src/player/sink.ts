// One MediaSource with one SourceBuffer on one video element; every change waits for the one before.
import { MovieReader, keyBefore } from './boxes'
import { isPlayable } from './codec'
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
  private reader = new MovieReader()
  /** Where pictures in the buffer can be decoded alone, in order. */
  private keys: number[] = []

  private constructor(
    private readonly video: HTMLVideoElement,
    private readonly source: MediaSource,
    private readonly buffer: SourceBuffer,
    private readonly url: string,
    private contentType: string,
  ) {}

  static async open(video: HTMLVideoElement, contentType: string): Promise<MseSink> {
    if (!isPlayable(contentType)) throw new UnsupportedCodec(contentType)
    const source = new MediaSource()
    const url = URL.createObjectURL(source)
    const opened = new Promise((resolve) => source.addEventListener('sourceopen', resolve, { once: true }))
    video.src = url
    await opened
    return new MseSink(video, source, source.addSourceBuffer(contentType), url, contentType)
  }

  ranges(): Range[] {
    // A closed MediaSource has no readable buffer.
    return this.closed || this.source.readyState === 'closed' ? [] : rangesOf(this.buffer.buffered)
  }

  /**
   * Appends. Where a camera changed, an initialization segment comes in mid-stream: the buffer changes with it, or what
   * follows cannot be played. When memory is full, drops what is behind the picture and tries once more.
   */
  append(bytes: Uint8Array, keepS: number): Promise<void> {
    return this.enqueue(async () => {
      for (const segment of this.reader.push(bytes)) {
        if (segment.contentType !== null && segment.contentType !== this.contentType) {
          if (!isPlayable(segment.contentType)) throw new UnsupportedCodec(segment.contentType)
          this.buffer.changeType(segment.contentType)
          this.contentType = segment.contentType
        }
        await this.put(segment.bytes, keepS)
        this.keys.push(...segment.keys)
      }
    })
  }

  evict(keepS: number): void {
    const limit = evictBefore(this.ranges(), this.video.currentTime, keepS, this.keys)
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

  private async put(bytes: Uint8Array<ArrayBuffer>, keepS: number): Promise<void> {
    try {
      await this.change(() => this.buffer.appendBuffer(bytes))
    } catch (error) {
      const limit = keyBefore(this.keys, this.video.currentTime - Math.min(5, keepS))
      if (!(error instanceof DOMException) || error.name !== 'QuotaExceededError' || limit === null) throw error
      await this.remove(limit)
      await this.change(() => this.buffer.appendBuffer(bytes))
    }
  }

  /** `before` is the time of a key picture: a browser removes up to the next one, else what is on the screen goes too. */
  private async remove(before: number): Promise<void> {
    if (before <= 0) return
    await this.change(() => this.buffer.remove(0, before))
    this.keys = this.keys.filter((key) => key >= before)
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
