// Names of saved files: camera and instant, in signs that every system takes. Pure.
import { wallOf } from './instants'

/** `Carrefour de l’Hôtel-de-Ville` as `carrefour-de-l-hotel-de-ville`. */
export function plainName(name: string): string {
  const plain = name.normalize('NFD').replace(/\p{M}/gu, '').replace(/œ/gi, 'oe').toLowerCase().replace(/[^a-z0-9]+/g, '-')
  return plain.slice(0, 40).replace(/^-+|-+$/g, '') || 'camera'
}

/** `2026-03-12_14h03m22.480_UTC+01`: the clock of Paris, and how far it is ahead. */
export function instantName(at: number): string {
  const wall = wallOf(at)
  const hours = String(Math.floor(Math.abs(wall.offset) / 60)).padStart(2, '0')
  const [hour, minute, second] = wall.time.split(':')
  return `${wall.date}_${hour}h${minute}m${second}.${wall.thousandths}_UTC${wall.offset < 0 ? '-' : '+'}${hours}`
}

export function stillName(camera: string, at: number, ending: 'png' | 'jpg'): string {
  return `${plainName(camera)}_${instantName(at)}.${ending}`
}

export function spanName(camera: string, from: number, to: number): string {
  const end = wallOf(to).time.split(':')
  return `${plainName(camera)}_${instantName(from)}_${end[0]}h${end[1]}m${end[2]}.mp4`
}
