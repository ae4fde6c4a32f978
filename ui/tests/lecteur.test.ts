// Claims about the player of a package: its texts, instants of Paris, where an instant lies, names, manifests that are none.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { extraOf, holds, isSame, unlisted, type Verdict } from '../lecteur/digests'
import { folderOf } from '../lecteur/folder'
import { instantsAt, offsetText, parseInstant, readDay, readTime, SECOND_US, wallOf } from '../lecteur/instants'
import { isInside, ManifestFault, readManifest, type Camera, type Manifest } from '../lecteur/manifest'
import { instantName, plainName, spanName, stillName } from '../lecteur/naming'
import { en } from '../lecteur/texts.en'
import { fr } from '../lecteur/texts.fr'
import { bounds, gapsBetween, instantAt, isSeam, locate, offsetAt } from '../lecteur/where'

const SOURCE = join(import.meta.dirname, '..', 'lecteur')
const at = (time: string) => parseInstant(`2026-03-12T${time}Z`)!
const movie = (path: string, first: string, last: string, pictures: number) => ({
  path, first: `2026-03-12T${first}Z`, last: `2026-03-12T${last}Z`, pictures, codec: 'h264', width: 640, height: 360,
})
const text = JSON.stringify({
  format: 1, export: '5e'.repeat(16), site: { id: '00'.repeat(16), name: 'Valmont', log_key: 'k' }, made: '2026-03-13T08:00:00.000000Z',
  ground: { number: '14', framework: 'CPP 60-1', authority: 'brigade', procedure: 'PV 1' },
  cameras: [{
    camera: 'a1'.repeat(16), name: 'Caméra 3', place: 'mairie', from: '2026-03-12T13:00:00.000000Z', to: '2026-03-12T13:10:00.000000Z', proof: 'preuves/a.jsonl',
    movies: [
      movie('video/a-1.mp4', '12:59:58.000000', '13:02:00.000000', 3051), movie('video/a-2.mp4', '13:02:01.000000', '13:04:00.000000', 2976),
      movie('video/a-3.mp4', '13:06:00.000000', '13:08:00.000000', 3001),
    ],
    gaps: [{ from: '2026-03-12T13:04:00.000000Z', to: '2026-03-12T13:06:00.000000Z', cause: 'silent', fr: 'La caméra se taisait', en: 'Silent' }],
  }],
  files: [{ path: 'video/a-1.mp4', role: 'movie', bytes: 3, sha256: '00'.repeat(32) }],
  clock: { fr: '', en: '' }, program: { version: '1', digest: null, law_pack: '1' },
})
const manifest: Manifest = readManifest(text)
const camera: Camera = manifest.cameras[0]!

describe('texts', () => {
  it('both languages have the same keys and placeholders, and no text is a copy', () => {
    const holes = (message: string) => [...message.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort()
    expect(Object.keys(en)).toEqual(Object.keys(fr))
    for (const key of Object.keys(fr) as (keyof typeof fr)[]) expect(holes(en[key]), key).toEqual(holes(fr[key]))
    expect((Object.keys(fr) as (keyof typeof fr)[]).filter((key) => fr[key] === en[key])).toEqual(['control.times'])
  })
  it('every text is used', () => {
    const code = readdirSync(SOURCE).filter((name) => /\.(svelte|ts)$/.test(name) && !name.startsWith('texts.')).map((name) => readFileSync(join(SOURCE, name), 'utf8')).join('\n')
    const made = [...code.matchAll(/`([a-z-]+\.(?:[a-z-]+[.-])?)\$\{/g)].map((match) => match[1]!)
    expect(Object.keys(fr).filter((key) => !code.includes(`'${key}'`) && !made.some((begin) => key.startsWith(begin)))).toEqual([])
  })
})

describe('instants', () => {
  it('are read to the microsecond, and only as the manifest writes them', () => {
    expect(parseInstant('2026-03-12T13:00:00.250001Z')).toBe(Date.UTC(2026, 2, 12, 13) * 1000 + 250_001)
    for (const wrong of ['', '2026-03-12', '2026-02-30T00:00:00Z', '2026-03-12T25:00:00Z', '2026-03-12T13:00:00+01:00']) expect(parseInstant(wrong), wrong).toBeNull()
  })
  it('are those of Paris, winter and summer', () => {
    expect(wallOf(at('13:00:00.480000'))).toEqual({ date: '2026-03-12', time: '14:00:00', thousandths: '480', offset: 60 })
    expect(wallOf(parseInstant('2026-07-01T22:30:00Z')!)).toEqual({ date: '2026-07-02', time: '00:30:00', thousandths: '000', offset: 120 })
    expect([offsetText(60), offsetText(120)]).toEqual(['UTC+1', 'UTC+2'])
  })
  it('come back from a clock time: none in spring’s lost hour, two in autumn’s, the earlier first', () => {
    expect(instantsAt('2026-03-12', '14:00:00')).toEqual([at('13:00:00')])
    expect(instantsAt('2026-03-29', '02:30:00')).toEqual([])
    expect(instantsAt('2026-10-25', '02:30:00')).toEqual([parseInstant('2026-10-25T00:30:00Z'), parseInstant('2026-10-25T01:30:00Z')])
  })
  it('days and times are read as a person types them', () => {
    for (const typed of ['12/03/2026', ' 12/3/2026', '12.03.2026', '2026-03-12']) expect(readDay(typed), typed).toBe('2026-03-12')
    for (const wrong of ['', '31/02/2026', '03/13/2026', 'hier']) expect(readDay(wrong), wrong).toBeNull()
    for (const [typed, time] of [['14:03:22', '14:03:22'], ['14:03', '14:03:00'], ['14h03', '14:03:00'], ['9h03m22s', '09:03:22']]) expect(readTime(typed!), typed).toBe(time)
    for (const wrong of ['', '24:00', '14', '14:60:00', '2 PM']) expect(readTime(wrong), wrong).toBeNull()
  })
})

describe('where an instant lies', () => {
  it('in a file, also where that begins before what was asked for', () => {
    expect(locate(camera, at('12:59:59'))).toEqual({ kind: 'picture', movie: 0, at: at('12:59:59') })
    expect(locate(camera, at('13:02:00.020000'))).toEqual({ kind: 'picture', movie: 0, at: at('13:02:00') })
    expect(locate(camera, at('13:07:00'))).toMatchObject({ kind: 'picture', movie: 2 })
  })
  it('at a seam of two files it is the next picture', () => {
    expect(locate(camera, at('13:02:00.500000'))).toEqual({ kind: 'picture', movie: 1, at: at('13:02:01') })
    expect([isSeam(camera, 0), isSeam(camera, 1)]).toEqual([true, false])
  })
  it('in a gap, with the files on both sides', () => {
    expect(locate(camera, at('13:05:00'))).toEqual({ kind: 'gap', gap: camera.gaps[0], before: 1, after: 2 })
    expect(gapsBetween(camera, 1)).toEqual(camera.gaps)
    expect(gapsBetween(camera, 2)).toEqual([])
  })
  it('in what was asked for, and nothing says why no picture is there', () => {
    expect(locate(camera, at('13:09:00'))).toEqual({ kind: 'unsaid', before: 2, after: null })
    expect(locate({ ...camera, movies: [], gaps: [] }, at('13:09:00'))).toEqual({ kind: 'unsaid', before: null, after: null })
  })
  it('outside, before and after', () => {
    const { from, to } = bounds(camera)
    expect([from, to]).toEqual([at('12:59:58'), at('13:10:00')])
    expect(locate(camera, from - 1)).toMatchObject({ kind: 'outside', side: 'before' })
    expect(locate(camera, to)).toMatchObject({ kind: 'outside', side: 'after' })
  })
  it('instants and seconds into a file lead to one another, and never beyond it', () => {
    const one = camera.movies[0]!
    expect(offsetAt(one, at('13:00:00'), 122)).toBeCloseTo(2, 6)
    expect(instantAt(one, 2, 122)).toBe(at('13:00:00'))
    // The file's clock runs on its own: its length is stretched over what the manifest says.
    expect(instantAt(one, 61.05, 122.1)).toBe(one.first + 61 * SECOND_US)
    expect([offsetAt(one, 0, 122), offsetAt(one, at('14:00:00'), 122), instantAt(one, 999, 122)]).toEqual([0, 122, one.last])
  })
})

describe('names of saved files', () => {
  it('have camera, instant and offset, in signs that every system takes', () => {
    expect(stillName('Caméra 3', at('13:03:22.480000'), 'png')).toBe('camera-3_2026-03-12_14h03m22.480_UTC+01.png')
    expect(spanName('Cœur de ville', at('13:03:22'), at('13:04:00'))).toBe('coeur-de-ville_2026-03-12_14h03m22.000_UTC+01_14h04m00.mp4')
    expect(plainName('../../')).toBe('camera')
    expect(plainName('A'.repeat(99))).toHaveLength(40)
    expect(instantName(parseInstant('2026-10-25T00:30:00Z')!)).not.toBe(instantName(parseInstant('2026-10-25T01:30:00Z')!))
  })
})

describe('a manifest', () => {
  const fault = (change: (value: any) => void): string => {
    const value = JSON.parse(text)
    change(value)
    try {
      readManifest(JSON.stringify(value))
    } catch (error) {
      if (error instanceof ManifestFault) return `${error.kind} ${error.where}`
    }
    return 'none'
  }
  it('that is none says where', () => {
    expect(() => readManifest('{')).toThrow(ManifestFault)
    expect(fault((value) => (value.format = 2))).toBe('format 2')
    expect(fault((value) => delete value.site)).toBe('member site')
    expect(fault((value) => (value.cameras = {}))).toBe('member cameras')
    expect(fault((value) => (value.cameras[0].movies[1].first = 'x'))).toBe('member cameras[0].movies[1].first')
    expect(fault((value) => (value.cameras[0].movies[1].codec = 'av1'))).toBe('member cameras[0].movies[1].codec')
    expect(fault((value) => value.cameras[0].movies.reverse())).toBe('member cameras[0].movies[1]')
    expect(fault((value) => (value.files[0].sha256 = 'ab'))).toBe('member files[0].sha256')
    expect(fault((value) => (value.files[0].bytes = -1))).toBe('member files[0].bytes')
    expect(fault((value) => (value.cameras[0].movies[0].path = '../x.mp4'))).toBe('path ../x.mp4')
    expect(fault((value) => (value.cameras[0].movies[0].path = 'http://x/y.mp4'))).toBe('path http://x/y.mp4')
    expect(fault(() => {})).toBe('none')
  })
  it('names no path out of the package', () => {
    for (const path of ['a', 'video/cam-1_2.mp4']) expect(isInside(path), path).toBe(true)
    for (const path of ['', '/etc', '../x', 'a/../b', 'a//b', 'a\\b', '.x', 'a b', 'C:x', 'a'.repeat(241)]) expect(isInside(path), path).toBe(false)
  })
})

describe('a folder', () => {
  const file = new File([], 'x')
  it('begins at the manifest that lies highest', () => {
    const files = ['remise/sous/manifeste.json', 'remise/manifeste.json', 'remise/video/a.mp4', 'ailleurs.txt'].map((path) => ({ path, file }))
    expect([...folderOf(files)!.keys()]).toEqual(['sous/manifeste.json', 'manifeste.json', 'video/a.mp4'])
    expect(folderOf([{ path: 'x/y.mp4', file }])).toBeNull()
  })
  it('has what does not belong, and a manifest that uses a file without its digest is found out', () => {
    const folder = new Map(['manifeste.json', 'registre.json', 'video/a-1.mp4', '.DS_Store'].map((path) => [path, file]))
    expect(extraOf(folder, manifest)).toEqual(['.DS_Store'])
    expect(unlisted(manifest)).toEqual(['preuves/a.jsonl', 'video/a-2.mp4', 'video/a-3.mp4'])
  })
  it('holds only without any fault, with a register that names it', () => {
    const good: Verdict = { intact: ['a'], changed: [], missing: [], extra: [], unreadable: [], manifestDigest: '', isInRegister: true, isOurs: true }
    expect(holds(good)).toBe(true)
    for (const bad of [{ changed: ['a'] }, { missing: ['a'] }, { extra: ['a'] }, { unreadable: ['a'] }, { isInRegister: null }, { isInRegister: false }, { isOurs: false }]) expect(holds({ ...good, ...bad })).toBe(false)
  })
  it('the carried manifest is the same whatever its order, its list of files aside', () => {
    expect(isSame({ a: [1, { b: 2, c: 3 }], files: [] }, { files: [1], a: [1, { c: 3, b: 2 }] })).toBe(true)
    expect(isSame({ a: 1 }, { a: 2 })).toBe(false)
    expect(isSame({ a: { files: 1 } }, { a: { files: 2 } })).toBe(false)
  })
})
