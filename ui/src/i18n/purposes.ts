// The eleven purposes of article L251-2 of the code de la sécurité intérieure, in short words.
import type { PurposeNumber } from '../api/types'

export interface PurposeWords {
  number: PurposeNumber
  fr: string
  en: string
}

export const PURPOSES: readonly PurposeWords[] = [
  { number: 1, fr: 'Protection des bâtiments et installations publics et de leurs abords', en: 'Protection of public buildings and facilities and their surroundings' },
  { number: 2, fr: 'Sauvegarde des installations utiles à la défense nationale', en: 'Safeguarding of facilities useful to national defence' },
  { number: 3, fr: 'Régulation des flux de transport', en: 'Regulation of traffic flows' },
  { number: 4, fr: 'Constatation des infractions aux règles de la circulation', en: 'Recording of traffic offences' },
  { number: 5, fr: 'Prévention des atteintes à la sécurité des personnes et des biens dans les lieux particulièrement exposés', en: 'Prevention of harm to persons and property in particularly exposed places' },
  { number: 6, fr: 'Prévention d’actes de terrorisme', en: 'Prevention of acts of terrorism' },
  { number: 7, fr: 'Prévention des risques naturels ou technologiques', en: 'Prevention of natural or technological risks' },
  { number: 8, fr: 'Secours aux personnes et défense contre l’incendie', en: 'Rescue of persons and fire-fighting' },
  { number: 9, fr: 'Sécurité des installations accueillant du public dans les parcs d’attraction', en: 'Safety of facilities open to the public in amusement parks' },
  { number: 10, fr: 'Respect de l’obligation d’assurance des véhicules', en: 'Compliance with compulsory vehicle insurance' },
  { number: 11, fr: 'Prévention et constatation de l’abandon d’ordures et de déchets', en: 'Prevention and recording of illegal dumping' },
]
