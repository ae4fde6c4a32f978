// The seed as people copy it, and the dark squares of a QR code as one path.

/** The secret of an `otpauth:` address in groups of four. */
export function keyInGroups(otpauth: string): string {
  const secret = /[?&]secret=([A-Z2-7]+)/.exec(otpauth)?.[1] ?? ''
  return secret.match(/.{1,4}/g)?.join(' ') ?? ''
}

/** Each run of dark squares in a row is a rectangle; the margin is four squares. */
export function darkPath(rows: string[]): string {
  return rows
    .flatMap((row, y) => [...row.matchAll(/1+/g)].map((run) => `M${run.index + 4} ${y + 4}h${run[0].length}v1h-${run[0].length}z`))
    .join('')
}
