// Claims about the requisition's form: clock times of Paris, ends after midnight, what cannot be read, what comes back as it went.
import { describe, expect, it } from 'vitest'
import type { Requisition } from '../src/api/exports'
import { draftOf, emptyDraft, faultsOf, hexOf, partsOf, saysOf, windowOf } from '../src/screens/requisitions/draft'

const NOW = Date.parse('2026-07-14T10:00:00Z')
const line = (from: string, to: string, date = '2026-07-13') => ({ camera: 'ca', date, from, to })

describe('a period', () => {
  it('is of clock times of Paris', () => {
    expect(windowOf(line('14:00:05', '14:10'))).toEqual({ camera: 'ca', from: '2026-07-13T12:00:05.000Z', to: '2026-07-13T12:10:00.000Z' })
  })
  it('ends on the next day where its end is earlier than its beginning', () => {
    expect(windowOf(line('23:50', '00:10'))?.to).toBe('2026-07-13T22:10:00.000Z')
    expect(windowOf(line('12:00', '12:00'))?.to).toBe('2026-07-14T10:00:00.000Z')
  })
  it('is none without a camera, a day, a time that exists, or longer than a day', () => {
    for (const wrong of [{ ...line('1:00', '2:00') }, line('', '14:00'), line('14:00', ''), { ...line('14:00', '15:00'), camera: '' }, line('14:00', '15:00', '2026-02-30')]) {
      expect(windowOf(wrong), JSON.stringify(wrong)).toBeNull()
    }
    // the day on which clocks go back has 25 hours
    expect(windowOf(line('02:30', '02:30', '2026-10-25'))).toBeNull()
    // 02:30 does not exist on the day on which clocks go forward
    expect(windowOf(line('02:30', '04:00', '2026-03-29'))).toBeNull()
  })
})

describe('the form', () => {
  it('takes an empty requisition: what is missing the register says', () => {
    const draft = emptyDraft(NOW)
    expect(faultsOf(draft)).toEqual([])
    const says = saysOf(draft)
    expect(says).toMatchObject({ received: '2026-07-14T10:00:00.000Z', windows: [], genuine: null, scan: null, authorisation_reference: null, authorisation_general: null })
  })
  it('names what cannot be read', () => {
    const draft = { ...emptyDraft(NOW), receivedDate: '', windows: [line('14:00', '')], framework: 'cpp77-1-1', reference: 'a', general: '2026-07-01', calledNumber: '17' }
    expect(faultsOf(draft)).toEqual(['received', 'windows', 'authorisation', 'genuine'])
  })
  it('sends nothing that the framework does not ask for', () => {
    const hidden = { ...emptyDraft(NOW), framework: 'cpp99-3', general: '2026-07-01' }
    expect([faultsOf(hidden), saysOf(hidden).authorisation_general]).toEqual([[], null])
    const flagrance = { ...emptyDraft(NOW), reference: 'a', general: '2026-07-01' }
    expect([faultsOf(flagrance), saysOf(flagrance).authorisation_reference]).toEqual([[], null])
  })
  it('shows a known requisition as it was entered', () => {
    const says = {
      ...saysOf({ ...emptyDraft(NOW), windows: [line('14:00:05', '14:10:00')], service: 'commissariat', calledDate: '2026-07-14', calledTime: '11:30', calledNumber: '17', spokenTo: 'x', framework: 'cpp77-1-1', general: '2026-07-01', scan: 'ab' }),
    }
    const known: Requisition = { ...says, id: '1', number: '2026-0001', version: 1, lacks: [], exports: [], answer: null, deliveries: [], viewings: [], opinions: [], letter_fr: null, letter_en: null }
    const again = draftOf(known)
    expect(faultsOf(again)).toEqual([])
    expect(saysOf(again)).toEqual(says)
  })
})

describe('a scan', () => {
  it('goes in parts that follow one another and leave nothing out', () => {
    expect(partsOf(10, 4)).toEqual([{ from: 0, to: 4 }, { from: 4, to: 8 }, { from: 8, to: 10 }])
    expect(partsOf(4, 4)).toEqual([{ from: 0, to: 4 }])
    expect(partsOf(0, 4)).toEqual([])
  })
  it('has a digest in hexadecimal', () => {
    expect(hexOf(new Uint8Array([0, 10, 255]))).toBe('000aff')
  })
})
