import type { Schemas } from '@misy/api-client';
import { type Language, sayIn, type Text } from '../words/language.js';

/** Names of the built-in roles, and what they are for; of others the tenant says it itself. */
const NAMES: Readonly<Record<string, Text>> = {
  owner: ['Dueño de la plataforma', 'Platform owner', 'Dono da plataforma'],
  admin: ['Administración', 'Administrator', 'Administração'],
  manager: ['Gestión', 'Manager', 'Gestão'],
  agent: ['Atención', 'Agent', 'Atendimento'],
  analyst: ['Análisis', 'Analyst', 'Análise'],
  developer: ['Desarrollo', 'Developer', 'Desenvolvimento'],
  privacy_officer: ['Privacidad', 'Privacy officer', 'Privacidade'],
  auditor: ['Auditoría', 'Auditor', 'Auditoria'],
};
const PURPOSES: Readonly<Record<string, Text>> = {
  owner: ['Lleva la plataforma.', 'Runs the platform.', 'Opera a plataforma.'],
  admin: ['Puede todo en la organización.', 'May do everything in the organisation.', 'Pode tudo na organização.'],
  manager: ['Lleva el negocio: contenido, sitios, alertas.', 'Runs the business: content, sites, alerts.', 'Cuida do negócio: conteúdo, sites, alertas.'],
  agent: ['Atiende a los clientes.', 'Looks after customers.', 'Atende os clientes.'],
  analyst: ['Mira cifras, no cambia nada.', 'Looks at figures, changes nothing.', 'Olha números, não muda nada.'],
  developer: ['Integra: claves, secretos, canales.', 'Integrates: keys, secrets, channels.', 'Integra: chaves, segredos, canais.'],
  privacy_officer: ['Vela por los datos personales.', 'Watches over personal data.', 'Zela pelos dados pessoais.'],
  auditor: ['Lee todo, no cambia nada.', 'Reads everything, changes nothing.', 'Lê tudo, não muda nada.'],
};

const said = (language: Language, text: Text): string => sayIn(language, { text })('text');

export function nameOfRole(roleId: string, language: Language, role?: Schemas['Role']): string {
  const text = NAMES[roleId];
  if (text) return said(language, text);
  return role?.name.trim() ? role.name : roleId;
}

export function purposeOfRole(role: Schemas['Role'], language: Language): string {
  const text = role.builtIn ? PURPOSES[role.roleId] : undefined;
  return text ? said(language, text) : role.description;
}
