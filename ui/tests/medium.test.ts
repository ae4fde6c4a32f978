// How many media a package takes.
import { expect, test } from 'vitest'
import { MEDIA, partsOn } from '../src/screens/requisitions/medium'

test('a package that fits takes one medium, one byte more takes two', () => {
  for (const { bytes } of MEDIA) expect([partsOn(bytes, bytes), partsOn(bytes, bytes + 1)]).toEqual([1, 2])
  expect([partsOn(0, 1e12), partsOn(1e9, 0)]).toEqual([1, 1])
})
