// The package's folder as its reader chose it: files by their path from the manifest on. Nothing is uploaded or changed.
import { MANIFEST } from './manifest'

/** Files by path, `video/a.mp4`. */
export type Folder = Map<string, File>

/** What a choice of files is: the shallowest `manifeste.json` says where the package begins; `null` where there is none. */
export function folderOf(files: { path: string; file: File }[]): Folder | null {
  const depth = (path: string) => path.split('/').length
  const manifests = files.map(({ path }) => path).filter((path) => path === MANIFEST || path.endsWith(`/${MANIFEST}`))
  const manifest = manifests.sort((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1))[0]
  if (manifest === undefined) return null
  const base = manifest.slice(0, manifest.length - MANIFEST.length)
  return new Map(files.filter(({ path }) => path.startsWith(base)).map(({ path, file }) => [path.slice(base.length), file]))
}

export function chosen(list: FileList): { path: string; file: File }[] {
  return [...list].map((file) => ({ path: file.webkitRelativePath || file.name, file }))
}

interface Handle {
  kind: string
  name: string
}
interface FileHandle extends Handle {
  getFile(): Promise<File>
}
interface FolderHandle extends Handle {
  values(): AsyncIterable<Handle>
}

/** What was dropped. Handles first: the older entries give no files to a page that was opened from disk (Chromium). */
export async function dropped(items: DataTransferItemList): Promise<{ path: string; file: File }[]> {
  const files: { path: string; file: File }[] = []
  // All asked for before the first wait: afterwards the list is empty.
  const asked = [...items].filter((item) => item.kind === 'file').map((item) => {
    const modern = item as DataTransferItem & { getAsFileSystemHandle?: () => Promise<Handle | null> }
    return { handle: modern.getAsFileSystemHandle?.() ?? null, entry: item.webkitGetAsEntry() }
  })
  for (const { handle, entry } of asked) {
    const found = await handle
    if (found !== null) await fromHandle(found, '', files)
    else if (entry !== null) await fromEntry(entry, '', files)
  }
  return files
}

async function fromHandle(handle: Handle, way: string, files: { path: string; file: File }[]): Promise<void> {
  const path = way + handle.name
  if (handle.kind === 'file') files.push({ path, file: await (handle as FileHandle).getFile() })
  else for await (const inside of (handle as FolderHandle).values()) await fromHandle(inside, `${path}/`, files)
}

async function fromEntry(entry: FileSystemEntry, way: string, files: { path: string; file: File }[]): Promise<void> {
  const path = way + entry.name
  if (entry.isFile) {
    const file = await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed))
    files.push({ path, file })
    return
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  // Given in batches; the empty one ends.
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed))
    if (batch.length === 0) return
    for (const inside of batch) await fromEntry(inside, `${path}/`, files)
  }
}
