// Makes one looping fMP4 clip per camera with ffmpeg and cuts it into init segment and fragments; for the mock only.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const FPS = 25
const GOP_FRAMES = 12
const GOPS = 50

/** {init, fragments: [Buffer], fragmentS, contentType}: every fragment is one group of pictures. */
export function clip(index) {
  const folder = join(tmpdir(), 'vigie-console-mock')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `camera-${index}.mp4`)
  if (!existsSync(file)) {
    const hue = index * 55
    execFileSync('ffmpeg', [
      '-v', 'error', '-y', '-f', 'lavfi', '-i', `testsrc2=size=640x360:rate=${FPS}`, '-vf', `hue=h=${hue}`,
      '-frames:v', String(GOP_FRAMES * GOPS), '-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'main', '-pix_fmt', 'yuv420p',
      '-g', String(GOP_FRAMES), '-keyint_min', String(GOP_FRAMES), '-sc_threshold', '0', '-bf', '0', '-an',
      '-movflags', 'empty_moov+default_base_moof+frag_keyframe', '-video_track_timescale', '90000', file,
    ])
  }
  return { ...cut(readFileSync(file)), fragmentS: GOP_FRAMES / FPS, contentType: 'video/mp4; codecs="avc1.4d401e"' }
}

/** The fragment with its decode time set, in 90 kHz ticks. */
export function at(fragment, ticks) {
  const copy = Buffer.from(fragment)
  const tfdt = copy.indexOf('tfdt')
  if (copy[tfdt + 4] === 1) copy.writeBigUInt64BE(BigInt(Math.round(ticks)), tfdt + 8)
  else copy.writeUInt32BE(Math.round(ticks) >>> 0, tfdt + 8)
  return copy
}

function cut(bytes) {
  const init = []
  const fragments = []
  for (let at = 0; at + 8 <= bytes.length; ) {
    const size = bytes.readUInt32BE(at)
    const kind = bytes.toString('latin1', at + 4, at + 8)
    const box = bytes.subarray(at, at + size)
    if (kind === 'ftyp' || kind === 'moov') init.push(box)
    else if (kind === 'moof') fragments.push([box])
    else if (kind === 'mdat') fragments.at(-1).push(box)
    at += size
  }
  return { init: Buffer.concat(init), fragments: fragments.map((parts) => Buffer.concat(parts)) }
}
