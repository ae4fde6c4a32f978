// A bounded queue of byte blocks between one writer and one reader; the reader gets what waits in one piece.

export class ByteQueue {
  private blocks: Uint8Array[] = []
  private waiting: ((bytes: Uint8Array | null) => void) | null = null
  private closed = false
  private bytes = 0

  constructor(private readonly bytesMax: number) {}

  get size(): number {
    return this.bytes
  }

  /** False when the queue is full or closed: the block was not taken, and a stream with a hole must be begun again. */
  push(block: Uint8Array): boolean {
    if (this.closed || this.bytes + block.length > this.bytesMax) return false
    if (this.waiting !== null) {
      const resolve = this.waiting
      this.waiting = null
      resolve(block)
      return true
    }
    this.blocks.push(block)
    this.bytes += block.length
    return true
  }

  /** The reader gets what is left, then `null`. */
  close(): void {
    this.closed = true
    this.waiting?.(null)
    this.waiting = null
  }

  read(): Promise<Uint8Array | null> {
    if (this.blocks.length > 0) {
      const all = join(this.blocks, this.bytes)
      this.blocks = []
      this.bytes = 0
      return Promise.resolve(all)
    }
    if (this.closed) return Promise.resolve(null)
    if (this.waiting !== null) throw new Error('a ByteQueue has one reader')
    return new Promise((resolve) => {
      this.waiting = resolve
    })
  }
}

function join(blocks: Uint8Array[], bytes: number): Uint8Array {
  if (blocks.length === 1 && blocks[0] !== undefined) return blocks[0]
  const all = new Uint8Array(bytes)
  let at = 0
  for (const block of blocks) {
    all.set(block, at)
    at += block.length
  }
  return all
}
