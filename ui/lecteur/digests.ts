// Holds the files of a package against its manifest: SHA-256 of each, what is missing, what does not belong.
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { Folder } from './folder'
import { MANIFEST, REGISTER, type Manifest } from './manifest'

/** Read at a time: the page answers in between. */
const STEP_BYTES = 4 * 1024 * 1024

export interface Verdict {
  intact: string[]
  changed: string[]
  missing: string[]
  /** Not named by the manifest. */
  extra: string[]
  /** The disk or the key did not give them. */
  unreadable: string[]
  manifestDigest: string
  /** Whether the extract of the town's log names this manifest's digest; `null` without an extract. */
  isInRegister: boolean | null
  /** Whether the manifest in the folder is the one that this page carries. */
  isOurs: boolean
}

export interface Progress {
  path: string
  done: number
  total: number
}

export function holds(verdict: Verdict): boolean {
  const faults = verdict.changed.length + verdict.missing.length + verdict.extra.length + verdict.unreadable.length
  return faults === 0 && verdict.isInRegister === true && verdict.isOurs
}

/** `carried`: the manifest that the page itself has, with the files left out; `null` where it has none. */
export async function check(folder: Folder, manifest: Manifest, carried: unknown, told: (progress: Progress) => void, signal: AbortSignal): Promise<Verdict> {
  const manifestFile = folder.get(MANIFEST)
  const text = (await manifestFile?.text()) ?? ''
  const manifestDigest = manifestFile === undefined ? '' : await digestOf(manifestFile, () => {}, signal)
  const verdict: Verdict = {
    intact: [], changed: [], missing: [], extra: extraOf(folder, manifest), unreadable: [], manifestDigest,
    isInRegister: await isNamed(folder.get(REGISTER), manifestDigest), isOurs: carried === null || isSame(carried, JSON.parse(text)),
  }
  const total = manifest.files.reduce((sum, line) => sum + line.bytes, 0)
  let done = 0
  for (const line of manifest.files) {
    signal.throwIfAborted()
    const file = folder.get(line.path)
    if (file === undefined) verdict.missing.push(line.path)
    else if (file.size !== line.bytes) verdict.changed.push(line.path)
    else {
      const before = done
      const digest = await digestOf(file, (bytes) => told({ path: line.path, done: before + bytes, total }), signal).catch((error: unknown) => {
        if (signal.aborted) throw error
        return null
      })
      if (digest === null) verdict.unreadable.push(line.path)
      else (digest === line.sha256 ? verdict.intact : verdict.changed).push(line.path)
    }
    done += line.bytes
    told({ path: line.path, done, total })
  }
  verdict.missing.push(...unlisted(manifest).filter((path) => !verdict.missing.includes(path)))
  return verdict
}

/** SHA-256 as hexadecimal digits, in steps. */
export async function digestOf(file: Blob, told: (bytes: number) => void, signal?: AbortSignal): Promise<string> {
  const sum = sha256.create()
  for (let at = 0; at < file.size; at += STEP_BYTES) {
    signal?.throwIfAborted()
    sum.update(new Uint8Array(await file.slice(at, at + STEP_BYTES).arrayBuffer()))
    told(Math.min(at + STEP_BYTES, file.size))
  }
  return bytesToHex(sum.digest())
}

export function extraOf(folder: Folder, manifest: Manifest): string[] {
  const named = new Set([MANIFEST, REGISTER, ...manifest.files.map((line) => line.path)])
  return [...folder.keys()].filter((path) => !named.has(path)).sort()
}

/** Files that a camera uses and the list of files does not have: without a digest they would escape the check. */
export function unlisted(manifest: Manifest): string[] {
  const named = new Set(manifest.files.map((line) => line.path))
  const used = manifest.cameras.flatMap((camera) => [...(camera.proof === null ? [] : [camera.proof]), ...camera.movies.map((movie) => movie.path)])
  return [...new Set(used)].filter((path) => !named.has(path))
}

/** The same JSON, the list of files aside. */
export function isSame(carried: unknown, manifest: unknown): boolean {
  return canonical(carried, 0) === canonical(manifest, 0)
}

function canonical(value: unknown, depth: number): string {
  if (Array.isArray(value)) return `[${value.map((each) => canonical(each, depth + 1)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined'
  const members = Object.entries(value).filter(([name]) => depth > 0 || name !== 'files').sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, each]) => `${JSON.stringify(name)}:${canonical(each, depth + 1)}`).join(',')}}`
}

/** A quick look only: signature and proofs of the extract are for `vigie-verify evidence`. */
async function isNamed(register: File | undefined, digest: string): Promise<boolean | null> {
  if (register === undefined) return null
  return digest !== '' && (await register.text()).includes(digest)
}
