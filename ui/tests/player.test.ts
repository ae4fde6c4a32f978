// Claims about the player's decisions: what to append, when to read on, jump, evict and come back.
import { describe, expect, it } from 'vitest'
import { MovieReader, keyBefore } from '../src/player/boxes'
import { contentTypeOf, formatName, isPlayable, playsFormat } from '../src/player/codec'
import { StreamChoice } from '../src/player/choice'
import { ApiError } from '../src/api/problem'
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
    const keys = Array.from({ length: 31 }, (_, second) => second)
    expect(evictBefore([{ start: 0, end: 30 }], 29, 20, keys)).toBe(9)
    expect(evictBefore([{ start: 0, end: 30 }], 24, 20, keys)).toBeNull()
  })
  it('never evicts the beginning of the group that is on the screen, however long it lasts', () => {
    expect(evictBefore([{ start: 0, end: 59 }], 58, 20, [0])).toBeNull()
    expect(evictBefore([{ start: 0, end: 85 }], 79, 20, [0, 60])).toBeNull()
    expect(evictBefore([{ start: 0, end: 85 }], 81, 20, [0, 60])).toBe(60)
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

/** A box of ISO BMFF: length, name, body. */
function box(name: string, ...body: (number[] | Uint8Array)[]): Uint8Array {
  const bytes = body.flatMap((part) => Array.from(part))
  return Uint8Array.from([...u32(bytes.length + 8), ...name].flatMap((each) => (typeof each === 'string' ? each.charCodeAt(0) : each)).concat(bytes))
}

function u32(value: number): number[] {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255)
}

const AVC = [1, 0x64, 0, 0x1f, 0xff]
const HEVC = [1, 1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 60, 0xf0]
const init = (name: string, record: number[]) => [box('ftyp', [1, 2]), box('moov', box('trak', box(name, record)))]

/** A fragment at 2 s: pictures of 0.1 s, shown 0.2 s after decoding; `key` tells which begin a group. */
function fragment(...key: boolean[]): Uint8Array[] {
  const samples = key.flatMap((isKey) => [...u32(9000), ...u32(3), ...u32(isKey ? 0x2000000 : 0x1010000), ...u32(18000)])
  const trun = box('trun', u32(0x1000f01), u32(key.length), u32(99), samples)
  const traf = box('traf', box('tfhd', u32(0x20000), u32(1)), box('tfdt', u32(1 << 24), u32(0), u32(180000)), trun)
  return [box('moof', box('mfhd', u32(0), u32(1)), traf), box('mdat', key.flatMap(() => [7, 7, 7]))]
}

describe('the movie reader', () => {
  const parts = [...init('avcC', AVC), ...fragment(true, false), ...init('hvcC', HEVC), ...fragment(false, true, false)]
  const all = Uint8Array.from(parts.flatMap((part) => Array.from(part)))

  it('finds each initialization segment and each key picture, however the network cuts the stream', () => {
    for (const size of [1, 7, 50, 1000]) {
      const reader = new MovieReader()
      const segments = Array.from({ length: Math.ceil(all.length / size) }, (_, n) => reader.push(all.slice(n * size, (n + 1) * size))).flat()
      expect(segments.filter((each) => each.contentType !== null).map((each) => each.contentType)).toEqual([
        'video/mp4; codecs="avc1.64001f"', 'video/mp4; codecs="hvc1.1.6.L60.90"',
      ])
      expect(segments.flatMap((each) => each.keys)).toEqual([2.2, 2.3])
      expect(Uint8Array.from(segments.flatMap((each) => Array.from(each.bytes)))).toEqual(all)
    }
  })
  it('stops at a box that cannot be', () => {
    expect(() => new MovieReader().push(Uint8Array.from([...u32(3), 109, 111, 111, 118]))).toThrow()
    expect(() => new MovieReader().push(Uint8Array.from([...u32(1 << 30), 109, 111, 111, 118]))).toThrow()
  })
  it('knows the newest key picture before an instant', () => {
    expect(keyBefore([0, 2, 4], 3.9)).toBe(2)
    expect(keyBefore([2, 4], 1)).toBeNull()
  })
})

describe('what a browser is asked', () => {
  it('is the exact type, with profile, tier, level and constraints', () => {
    const record = [1, 0x44 | 0x20, 0x82, 0, 0, 0, 0xb0, 0x23, 0, 0, 0, 0, 120, 0xf0]
    expect(contentTypeOf(box('moov', box('hvcC', record)))).toBe('video/mp4; codecs="hvc1.A4.41.H120.B0.23"')
    expect(contentTypeOf(box('moov', box('av1C', [1])))).toBeNull()
  })
  it('is told to people as the name they know', () => {
    expect(formatName('video/mp4; codecs="hvc1.1.6.L93.B0"')).toBe('H.265')
    expect(formatName('video/mp4; codecs="avc1.64001f"')).toBe('H.264')
  })
  it('is no, where there is nothing to play it with', () => {
    expect(isPlayable('video/mp4; codecs="hvc1.1.6.L93.B0"')).toBe(false)
  })
})

describe('the choice of a stream', () => {
  const H265 = 'video/mp4; codecs="hvc1.1.6.L93.B0"'
  const sub = (codec: string | null) => ({ state: 'recording', codec, width: 352, height: 288 }) as const
  const h264Only = (format: string) => format === 'H264'
  const problem = (kind: string) => new ApiError({ type: `urn:vigie:problem:${kind}`, title: '', status: 404 })

  it('is the main stream where that is played, or nothing is known', () => {
    for (const camera of [{ codec: 'H264', sub: sub('H264') }, { codec: null, sub: sub('H264') }, { codec: 'H265', sub: null }, { codec: 'H265', sub: sub('H265') }]) {
      const choice = new StreamChoice(camera, h264Only)
      expect([choice.kind, choice.standsInFor]).toEqual(['main', null])
    }
  })
  it('is the sub-stream at once where the recorder says enough, and names what it stands in for', () => {
    for (const codec of ['H264', null]) {
      const choice = new StreamChoice({ codec: 'H265', sub: sub(codec) }, h264Only)
      expect([choice.kind, choice.standsInFor]).toEqual(['sub', 'H.265'])
    }
  })
  it('becomes the sub-stream when the browser refuses the main one, and ends where it refuses both', () => {
    const choice = new StreamChoice({ codec: null, sub: sub(null) }, h264Only)
    expect([choice.refused(H265), choice.kind, choice.standsInFor]).toEqual([true, 'sub', 'H.265'])
    expect([choice.refused(H265), choice.kind]).toEqual([true, 'main'])
    expect([choice.refused(H265), choice.kind, choice.standsInFor]).toEqual([false, 'main', null])
  })
  it('asks the main stream for its exact type where the sub-stream that was taken first is not there', () => {
    const choice = new StreamChoice({ codec: 'H265', sub: sub(null) }, h264Only)
    expect([choice.absent(problem('closed')), choice.kind]).toEqual([false, 'sub'])
    expect([choice.absent(problem('no-footage')), choice.kind]).toEqual([true, 'main'])
    expect([choice.refused(H265), choice.kind, choice.mainType]).toEqual([false, 'main', H265])
    // at another time it may have been recorded
    choice.renew()
    expect(choice.kind).toBe('sub')
  })
  it('never offers a sub-stream that there is none of', () => {
    const choice = new StreamChoice({ codec: 'H265', sub: null }, h264Only)
    expect([choice.refused(H265), choice.absent(problem('no-sub-stream')), choice.kind]).toEqual([false, false, 'main'])
  })
  it('takes an unknown word for a format that may be played', () => {
    expect([playsFormat('avc1.42c01e'), playsFormat('H265'), formatName('H265'), formatName('H264')]).toEqual([true, false, 'H.265', 'H.264'])
  })
})
