import type { Schemas } from '@misy/api-client';
import type { Text } from '../words/language.js';

type Action = Schemas['Action'];

/** What each action allows, in words. */
export const actionTexts = {
  'tenant:read': ['Ver la organización', 'See the organisation', 'Ver a organização'],
  'tenant:write': ['Cambiar la organización', 'Change the organisation', 'Mudar a organização'],
  'tenant:close': ['Cerrar la organización', 'Close the organisation', 'Fechar a organização'],
  'tenant:delete': ['Eliminar la organización', 'Delete the organisation', 'Excluir a organização'],
  'tenant:reopen': ['Abrirla de nuevo', 'Open it again', 'Abri-la de novo'],
  'plan:write': ['Cambiar plan y límites', 'Change plan and limits', 'Mudar plano e limites'],
  'tenants:list': ['Ver todos los clientes', 'List all tenants', 'Ver todos os clientes'],
  'tenants:create': ['Crear clientes', 'Create tenants', 'Criar clientes'],
  'tenants:suspend': ['Suspender clientes', 'Suspend tenants', 'Suspender clientes'],
  'tenants:activate': ['Activar clientes', 'Activate tenants', 'Ativar clientes'],
  'privilege:use': ['Usar privilegios', 'Use privileges', 'Usar privilégios'],
  'privilege:read': ['Ver los privilegios usados', 'See privileges used', 'Ver privilégios usados'],
  'privilege:end': ['Terminar accesos con privilegio', 'End privileged access', 'Encerrar acessos privilegiados'],
  'context-pack:read': ['Ver lo que el asistente sabe', 'See what the assistant knows', 'Ver o que o assistente sabe'],
  'context-pack:write': ['Cambiar lo que el asistente sabe', 'Change what the assistant knows', 'Mudar o que o assistente sabe'],
  'sites:read': ['Ver sitios', 'See sites', 'Ver sites'],
  'sites:write': ['Cambiar sitios', 'Change sites', 'Mudar sites'],
  'keys:read': ['Ver claves', 'See keys', 'Ver chaves'],
  'keys:write': ['Crear y revocar claves', 'Create and revoke keys', 'Criar e revogar chaves'],
  'administrator-keys:revoke': ['Revocar claves de registro', 'Revoke registration keys', 'Revogar chaves de registro'],
  'secrets:read': ['Ver qué secretos hay', 'See which secrets there are', 'Ver quais segredos há'],
  'secrets:write': ['Hacer y revocar secretos', 'Make and revoke secrets', 'Criar e revogar segredos'],
  'tokens:revoke': ['Terminar tokens', 'End tokens', 'Encerrar tokens'],
  'certificates:read': ['Ver certificados', 'See certificates', 'Ver certificados'],
  'certificates:write': ['Atar y revocar certificados', 'Bind and revoke certificates', 'Vincular e revogar certificados'],
  'limits:read': ['Ver límites', 'See limits', 'Ver limites'],
  'audit:read': ['Leer el registro', 'Read the audit trail', 'Ler o registro'],
  'audit:export': ['Exportar el registro', 'Export the audit trail', 'Exportar o registro'],
  'decisions:read': ['Ver por qué se respondió algo', 'See why something was answered', 'Ver por que algo foi respondido'],
  'usage:read': ['Ver el uso', 'See usage', 'Ver o uso'],
  'users:read': ['Ver personas y sesiones', 'See people and sessions', 'Ver pessoas e sessões'],
  'users:write': ['Invitar y cambiar personas', 'Invite and change people', 'Convidar e mudar pessoas'],
  'roles:read': ['Ver roles', 'See roles', 'Ver funções'],
  'roles:write': ['Cambiar roles', 'Change roles', 'Mudar funções'],
  'sign-in:read': ['Ver cómo se entra', 'See how people sign in', 'Ver como se entra'],
  'sign-in:write': ['Cambiar cómo se entra', 'Change how people sign in', 'Mudar como se entra'],
  'encryption:read': ['Ver el cifrado', 'See encryption', 'Ver a criptografia'],
  'encryption:rotate': ['Rotar claves de cifrado', 'Rotate encryption keys', 'Rotacionar chaves de criptografia'],
  'channels:read': ['Ver canales y entregas', 'See channels and deliveries', 'Ver canais e entregas'],
  'channels:write': ['Cambiar canales', 'Change channels', 'Mudar canais'],
  'alerts:read': ['Ver alertas', 'See alerts', 'Ver alertas'],
  'alerts:write': ['Atender alertas', 'Take note of alerts', 'Atender alertas'],
  'work:read': ['Ver trabajo detenido', 'See work given up', 'Ver trabalho parado'],
  'work:write': ['Reanudar y descartar trabajo', 'Revive and drop work', 'Retomar e descartar trabalho'],
} as const satisfies Partial<Record<Action, Text>>;

export const hasText = (action: string): action is keyof typeof actionTexts => action in actionTexts;
