// Saves what is on the screen: a picture at the camera's own size, its caption below it and never on it; and hands files to the reader.

export interface Still {
  blob: Blob
  width: number
  height: number
}

/** Lossless enough for a figure in a report; the PNG is there for everything else. */
const JPEG_QUALITY = 0.95

/** The picture that the video shows; `caption`: lines below it, none for the bare picture. */
export async function stillOf(video: HTMLVideoElement, caption: string[], type: 'image/png' | 'image/jpeg'): Promise<Still> {
  const [width, height] = [video.videoWidth, video.videoHeight]
  const canvas = document.createElement('canvas')
  canvas.width = width
  canvas.height = height
  const draw = canvas.getContext('2d')
  if (draw === null || width === 0) throw new Error('no picture')
  const size = Math.max(11, Math.round(width / 64))
  const lines = wrapped(draw, caption, size, width)
  const strip = lines.length === 0 ? 0 : Math.ceil(size * (lines.length * 1.4 + 0.8))
  canvas.height = height + strip
  draw.drawImage(video, 0, 0, width, height)
  if (strip > 0) {
    draw.fillStyle = '#ffffff'
    draw.fillRect(0, height, width, strip)
    draw.fillStyle = '#000000'
    draw.font = fontOf(size)
    draw.textBaseline = 'top'
    lines.forEach((line, index) => draw.fillText(line, size * 0.6, height + size * (0.5 + 1.4 * index)))
  }
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, type, JPEG_QUALITY))
  if (blob === null) throw new Error('no memory')
  return { blob, width, height: canvas.height }
}

/** Puts a file where the browser puts downloads. */
export function handOver(blob: Blob, name: string): void {
  const address = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  // The download holds the bytes once it has begun; gigabytes may take a while to begin.
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
}

function fontOf(size: number): string {
  return `${size}px system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif`
}

/** Lines broken at spaces so that each fits the picture's width. */
function wrapped(draw: CanvasRenderingContext2D, caption: string[], size: number, width: number): string[] {
  draw.font = fontOf(size)
  const fits = (text: string) => draw.measureText(text).width <= width - 1.2 * size
  return caption.flatMap((line) => {
    const lines: string[] = []
    for (const word of line.split(' ')) {
      const last = lines.at(-1)
      if (last !== undefined && fits(`${last} ${word}`)) lines[lines.length - 1] = `${last} ${word}`
      else lines.push(word)
    }
    return lines
  })
}
