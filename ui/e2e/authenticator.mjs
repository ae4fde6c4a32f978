// A person's authenticator for the tests: codes by time (RFC 6238) from the secret that a setup page shows.
import { createHmac } from 'node:crypto'

const STEP_S = 30
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

export function codeAt(secret, step) {
  const bits = [...secret.replaceAll(/\s/g, '')].map((letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, '0')).join('')
  const seed = Buffer.from((bits.match(/.{8}/g) ?? []).map((eight) => parseInt(eight, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const digest = createHmac('sha1', seed).update(counter).digest()
  const number = digest.readUInt32BE(digest.at(-1) & 15) & 0x7fffffff
  return String(number % 1_000_000).padStart(6, '0')
}

/** An account whose secrets stand in the environment, under names that begin so. */
export function holder(name, as) {
  return { name, password: process.env[`VIGIE_${as}_PASSWORD`], secret: process.env[`VIGIE_${as}_SECRET`] }
}

/** A code that this account did not use yet; the next step's counts too, after that one has to wait. */
export async function unusedCode(account) {
  const present = () => Math.floor(Date.now() / 1000 / STEP_S)
  const step = Math.max((account.lastStep ?? 0) + 1, present())
  while (present() + 1 < step) await new Promise((wake) => setTimeout(wake, 500))
  account.lastStep = step
  return codeAt(account.secret, step)
}
