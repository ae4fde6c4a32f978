// Claims about the player's decisions: what to append, when to read on, jump, evict and come back.
import { describe, expect, it } from 'vitest'
import { ByteQueue } from '../src/player/byte_queue'
import {
  LIVE_MARGIN_S, aheadOf, backoffSeconds, bufferedAfter, clockAheadMs, contains, evictBefore, gapJump, joined, liveJump, mayReadOn,
} from '../src/player/ranges'
import { RECORD_BYTES_MAX, WallParser } from '../src/player/wall_record'

const bytes = (...values: number[]) => Uint8Array.from(values)

describe('live', () => {
  it('begins near the newest picture, whatever the media time is', () => {
    expect(liveJump([{ start: 40000, end: 40002 }], 0)).toBe(40002 - LIVE_MARGIN_S)
    expect(liveJump([], 0)).toBeNull()
  })
  it('stays where it is below three seconds and jumps beyond', () => {
    expect(liveJump([{ start: 0, end: 12.9 }], 10)).toBeNull()
    expect(liveJump([{ start: 0, end: 13.1 }], 10)).toBeCloseTo(12.3)
  })
  it('leaves an old range for the newest one', () => {
    expect(liveJump([{ start: 0, end: 10 }, { start: 11, end: 12 }], 9.9)).toBeCloseTo(11.2)
  })
  it('evicts what is older than twenty seconds, in pieces worth a call', () => {
    expect(evictBefore([{ start: 0, end: 30 }], 29, 20)).toBe(9)
    expect(evictBefore([{ start: 0, end: 30 }], 24, 20)).toBeNull()
  })
  it('waits longer after each failure, never more than fifteen seconds', () => {
    expect([1, 2, 3, 4, 5, 9].map(backoffSeconds)).toEqual([1, 2, 4, 8, 15, 15])
  })
  it('ignores a clock difference that an HTTP date cannot show', () => {
    const now = Date.parse('2026-03-12T10:00:00.900Z')
    expect(clockAheadMs('Thu, 12 Mar 2026 10:00:00 GMT', now)).toBe(0)
    expect(clockAheadMs('Thu, 12 Mar 2026 09:59:00 GMT', now)).toBe(60_400)
    expect(clockAheadMs(null, now)).toBe(0)
  })
})

describe('replay', () => {
  it('reads on up to thirty seconds ahead and not further, gaps not counted', () => {
    expect(mayReadOn([{ start: 0, end: 30 }], 0)).toBe(true)
    expect(mayReadOn([{ start: 0, end: 30.1 }], 0)).toBe(false)
    expect(mayReadOn([{ start: 0, end: 10 }, { start: 500, end: 515 }], 0)).toBe(true)
    expect(bufferedAfter([{ start: 0, end: 10 }, { start: 500, end: 515 }], 5)).toBe(20)
  })
  it('jumps over a gap only once its edge is reached', () => {
    const ranges = [{ start: 0, end: 8 }, { start: 28, end: 40 }]
    expect(gapJump(ranges, 5)).toBeNull()
    expect(gapJump(ranges, 7.95)).toEqual({ from: 8, to: 28 })
    expect(gapJump(ranges, 15)).toEqual({ from: 15, to: 28 })
    expect(gapJump(ranges, 39.99)).toBeNull()
  })
  it('begins at the first picture when the instant asked for lies in a gap', () => {
    expect(gapJump([{ start: 3, end: 9 }], 0)).toEqual({ from: 0, to: 3 })
  })
  it('takes ranges a frame’s rounding apart as one', () => {
    expect(joined([{ start: 0, end: 1 }, { start: 1.05, end: 2 }])).toEqual([{ start: 0, end: 2 }])
    expect(contains([{ start: 0, end: 1 }, { start: 1.05, end: 2 }], 1.02)).toBe(true)
    expect(aheadOf([{ start: 0, end: 1 }, { start: 1.05, end: 2 }], 0.5)).toBe(1.5)
    expect(contains([{ start: 5, end: 9 }], 2)).toBe(false)
  })
})

describe('the byte queue', () => {
  it('gives all that waits in one piece, in order', async () => {
    const queue = new ByteQueue(10)
    queue.push(bytes(1, 2))
    queue.push(bytes(3))
    expect(await queue.read()).toEqual(bytes(1, 2, 3))
    expect(queue.size).toBe(0)
  })
  it('hands a block straight to a reader that waits', async () => {
    const queue = new ByteQueue(10)
    const read = queue.read()
    expect(queue.push(bytes(7))).toBe(true)
    expect(await read).toEqual(bytes(7))
  })
  it('refuses what is beyond its bound and says so', () => {
    const queue = new ByteQueue(2)
    expect(queue.push(bytes(1, 2))).toBe(true)
    expect(queue.push(bytes(3))).toBe(false)
  })
  it('gives the rest, then the end, once closed', async () => {
    const queue = new ByteQueue(10)
    queue.push(bytes(1))
    queue.close()
    expect(await queue.read()).toEqual(bytes(1))
    expect(await queue.read()).toBeNull()
    expect(queue.push(bytes(2))).toBe(false)
  })
})

describe('wall records', () => {
  const record = (camera: number, kind: number, payload: number[]) => [0, 0, 0, payload.length, 0, camera, kind, 0, ...payload]
  it('are found however the network cuts them', () => {
    const whole = Uint8Array.from([...record(2, 1, [9]), ...record(0, 0, [1, 2, 3]), ...record(1, 2, [])])
    for (let size = 1; size <= whole.length; size += 1) {
      const parser = new WallParser()
      const found = []
      for (let at = 0; at < whole.length; at += size) found.push(...parser.push(whole.slice(at, at + size)))
      expect(found).toEqual([
        { camera: 2, kind: 'head', payload: bytes(9) },
        { camera: 0, kind: 'bytes', payload: bytes(1, 2, 3) },
        { camera: 1, kind: 'end', payload: bytes() },
      ])
    }
  })
  it('an unknown kind is named so and skipped by its length', () => {
    expect(new WallParser().push(Uint8Array.from([...record(0, 9, [5]), ...record(0, 0, [6])])).map((each) => each.kind)).toEqual(['unknown', 'bytes'])
  })
  it('a length that cannot be stops the stream', () => {
    const header = new Uint8Array(8)
    new DataView(header.buffer).setUint32(0, RECORD_BYTES_MAX + 1)
    expect(() => new WallParser().push(header)).toThrow()
  })
})
