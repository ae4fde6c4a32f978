// Claims about the player's reading and cutting of MP4: frames by their times, spans that touch no picture, files that are none.
import { describe, expect, it } from 'vitest'
import { lengthOf, middleOf, Mp4Fault, pictureAt, readTrack } from '../lecteur/mp4'
import { headOf, isPlaced } from '../lecteur/reseal'
import { cutFile, cutOf } from '../lecteur/span'

const u32 = (value: number) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]
const u64 = (value: number) => [...u32(Math.floor(value / 2 ** 32)), ...u32(value % 2 ** 32)]
const box = (kind: string, ...parts: number[][]): number[] => {
  const body = parts.flat()
  return [...u32(body.length + 8), ...[...kind].map((sign) => sign.charCodeAt(0)), ...body]
}
const zeros = (count: number) => Array<number>(count).fill(0)
const TICK = 3600

/** Eight pictures in two groups, decoded I P B B: shown in the order 0 2 3 1; two runs of pictures with another box between. */
function film(): File {
  const sizes = [10, 5, 3, 2, 11, 6, 4, 1]
  const offsets = [1, 3, 0, 0, 1, 3, 0, 0].map((pictures) => pictures * TICK)
  const ftyp = box('ftyp', [0x69, 0x73, 0x6f, 0x6d], u32(0))
  const run = (from: number, to: number) => box('mdat', sizes.slice(from, to).flatMap((size, index) => Array<number>(size).fill(from + index + 1)))
  const between = box('uuid', zeros(9))
  const [one, two] = [run(0, 4), run(4, 8)]
  const places = [ftyp.length + 8, ftyp.length + one.length + between.length + 8]
  const stbl = box('stbl',
    box('stsd', u32(0), u32(1), box('avc1', zeros(78))),
    box('stts', u32(0), u32(1), u32(8), u32(TICK)),
    box('ctts', u32(0), u32(8), offsets.flatMap((offset) => [...u32(1), ...u32(offset)])),
    box('stss', u32(0), u32(2), u32(1), u32(5)),
    box('stsc', u32(0), u32(1), u32(1), u32(4), u32(1)),
    box('stsz', u32(0), u32(0), u32(8), sizes.flatMap(u32)),
    box('co64', u32(0), u32(2), places.flatMap(u64)))
  const header = (kind: string) => box(kind, u32(0), zeros(8), u32(90_000), u32(8 * TICK), zeros(80))
  const trak = box('trak', box('tkhd', u32(7), zeros(8), u32(1), u32(0), u32(8 * TICK), zeros(60)),
    box('mdia', header('mdhd'), box('hdlr', u32(0), u32(0), [...'vide'].map((sign) => sign.charCodeAt(0)), zeros(13)), box('minf', box('vmhd', zeros(12)), stbl)))
  return new File([new Uint8Array([...ftyp, ...one, ...between, ...two, ...box('moov', header('mvhd'), trak)])], 'film.mp4')
}

describe('a movie', () => {
  it('gives its pictures in the order in which they are shown, from zero', async () => {
    const track = await readTrack(film())
    expect([...track.shown].map((seconds) => Math.round(seconds * 1000))).toEqual([0, 40, 80, 120, 160, 200, 240, 280])
    expect(lengthOf(track)).toBeCloseTo(0.28, 6)
    expect([...track.isSync]).toEqual([1, 0, 0, 0, 1, 0, 0, 0])
  })
  it('has one picture on the screen at each time, and its middle leads back to it', async () => {
    const { shown } = await readTrack(film())
    for (let picture = 0; picture < shown.length; picture += 1) expect(pictureAt(shown, middleOf(shown, picture))).toBe(picture)
    expect([pictureAt(shown, 0), pictureAt(shown, 0.039), pictureAt(shown, 0.0399995), pictureAt(shown, 9)]).toEqual([0, 0, 1, 7])
  })
  it('that is none is refused', async () => {
    const bytes = new Uint8Array(await film().arrayBuffer())
    for (const wrong of [new Uint8Array(0), bytes.subarray(0, 40), bytes.subarray(0, bytes.length - 20), Uint8Array.from(bytes, (byte, index) => (index < 4 ? 255 : byte))]) {
      await expect(readTrack(new File([wrong as Uint8Array<ArrayBuffer>], 'x'))).rejects.toThrow(Mp4Fault)
    }
  })
})

describe('a span', () => {
  it('begins at the key picture before and holds all that is decoded for its last picture', async () => {
    const track = await readTrack(film())
    expect(cutOf(track, 0.2, 0.2)).toMatchObject({ begin: 4, end: 7 })
    expect(cutOf(track, 0.04, 0.04)).toMatchObject({ begin: 0, end: 3 })
    expect(cutOf(track, 0, 9)).toMatchObject({ begin: 0, end: 8 })
  })
  it('is a movie of the same bytes and times', async () => {
    const track = await readTrack(film())
    for (const [from, to] of [[0, 9], [0.2, 0.28], [0, 0.2]] as const) {
      const cut = cutOf(track, from, to)
      const made = await readTrack(cutFile(track, cut, 1_773_320_402))
      const pictures = async (of: typeof track, index: number) => [...new Uint8Array(await of.file.slice(of.offsets[index]!, of.offsets[index]! + of.sizes[index]!).arrayBuffer())]
      expect(made.sizes.length).toBe(cut.end - cut.begin)
      for (let index = cut.begin; index < cut.end; index += 1) {
        expect(await pictures(made, index - cut.begin)).toEqual(await pictures(track, index))
        expect(made.pts[index - cut.begin]! - made.dts[index - cut.begin]!).toBe(track.pts[index]! - track.dts[index]!)
        expect(made.isSync[index - cut.begin]).toBe(track.isSync[index])
      }
      expect([...made.shown].map((seconds) => Math.round(seconds * 1000))[0]).toBe(0)
    }
  })
})

describe('a chunk’s head', () => {
  const head = (frames: [number, number, number][], dts: bigint) => {
    const bytes = new Uint8Array(28 + 16 * frames.length)
    const view = new DataView(bytes.buffer)
    view.setUint8(0, 1)
    view.setUint16(2, frames.length, true)
    view.setBigInt64(20, dts, true)
    frames.forEach(([delta, offset, size], index) => [delta, offset, size].forEach((value, field) => view.setUint32(32 + 16 * index + 4 * field, value, true)))
    return bytes
  }
  it('finds its pictures in the movie, and no others', async () => {
    const track = await readTrack(film())
    const frames: [number, number, number][] = [[0, TICK, 10], [TICK, 3 * TICK, 5]]
    expect(isPlaced(track, 0, headOf(head(frames, 500n)), 500)).toBe(true)
    expect(isPlaced(track, 0, headOf(head(frames, 501n)), 500)).toBe(false)
    expect(isPlaced(track, 1, headOf(head(frames, 500n)), 500)).toBe(false)
    expect(isPlaced(track, 0, headOf(head([[0, TICK, 10], [TICK, 3 * TICK, 6]], 500n)), 500)).toBe(false)
    expect(isPlaced(track, 7, headOf(head(frames, 500n)), 500)).toBe(false)
    expect(() => headOf(new Uint8Array(27))).toThrow()
  })
})
