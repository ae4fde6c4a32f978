// How far the server's clock is ahead of this computer's, from the Date line of its answers. Pure; times in ms.

/** A Date line names a whole second that has begun. */
const DATE_STEP_MS = 1000

/**
 * The offset corrected by one answer. The server wrote `dateMs` between our sending and our receiving, so the true offset
 * lies between two bounds; inside them the old one stays. It is never above what is proven: an instant that our server has
 * not reached yet is none of which somebody can ask for pictures.
 */
export function serverAhead(aheadMs: number | null, dateMs: number, sentMs: number, receivedMs: number): number {
  const [least, most] = [dateMs - receivedMs, dateMs + DATE_STEP_MS - sentMs]
  return aheadMs === null || aheadMs < least || aheadMs > most ? least : aheadMs
}
