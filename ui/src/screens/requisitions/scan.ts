// Sends a scan to the register: its digest is taken here, the parts follow one another, the server holds them against it.
import { api } from '../../api/client'
import { hexOf, partsOf } from './draft'

export const SCAN_BYTES_MAX = 16 * 1024 * 1024
const PART_BYTES = 60 * 1024

/** SHA-256 of the scan, in hexadecimal. */
export async function sendScan(file: Blob, onshare: (share: number) => void): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer())
  const digest = hexOf(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))
  for (const { from, to } of partsOf(bytes.length, PART_BYTES)) {
    await api.scanPart(digest, bytes.length, from, bytes.slice(from, to))
    onshare(to / bytes.length)
  }
  return digest
}
