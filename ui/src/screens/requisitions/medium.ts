// Write-once media that a package is split for (TECH-12), and how many of them it takes.

/** What a medium holds, with room for its own file system. */
export const MEDIA: readonly { name: string; bytes: number }[] = [
  { name: 'CD-R', bytes: 680_000_000 },
  { name: 'DVD-R', bytes: 4_600_000_000 },
  { name: 'DVD+R DL', bytes: 8_400_000_000 },
  { name: 'BD-R', bytes: 24_500_000_000 },
  { name: 'BD-R DL', bytes: 49_000_000_000 },
]

/** One where the medium is not said, or holds all of it. */
export function partsOn(mediumBytes: number, packageBytes: number): number {
  return mediumBytes > 0 ? Math.max(1, Math.ceil(packageBytes / mediumBytes)) : 1
}
