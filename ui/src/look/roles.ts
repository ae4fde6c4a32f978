// Which capacities look at pictures (CSI R253-3) and which never do; the gate decides, this only explains beforehand. Pure.
import type { Role } from '../api/types'
import type { MessageKey } from '../i18n/messages.fr'

const WITHOUT_PICTURES: readonly Role[] = ['dpo', 'inspector', 'administrator']

export function mayLook(role: Role | undefined): boolean {
  return role !== undefined && !WITHOUT_PICTURES.includes(role)
}

/** Requisitions are executed by the police and the other authorities, never by operators (CSI L132-14-1). */
export function mayHandOver(role: Role | undefined): boolean {
  return mayLook(role) && role !== 'operator'
}

/** Requests of persons for access: the data-protection officer receives and answers them, who hands over shows the pictures. */
export function mayAnswerAccess(role: Role | undefined): boolean {
  return role === 'dpo' || mayHandOver(role)
}

/** On what is asked outside the CPP: the head of the service, who may hand over too, and the data-protection officer. */
export function mayGiveOpinion(role: Role | undefined): boolean {
  return role === 'dpo' || mayHandOver(role)
}

/** What a capacity may do here, as keys of messages. */
export function mayOf(role: Role): MessageKey[] {
  const facts: MessageKey[] = ['may.facts', 'may.health']
  if (mayLook(role)) return ['may.look', ...facts]
  if (role === 'dpo' || role === 'inspector') return ['may.review', ...facts]
  return role === 'administrator' ? ['may.maintain', ...facts] : facts
}

export function mayNotOf(role: Role): MessageKey[] {
  const nobody: MessageKey[] = ['may-not.take', 'may-not.erase']
  if (!mayLook(role)) return ['may-not.picture', ...nobody]
  return role === 'operator' ? ['may-not.verbalise', ...nobody] : nobody
}
