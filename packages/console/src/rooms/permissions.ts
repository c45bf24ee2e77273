import type { Schemas } from '@misy/api-client';

export type Permission = Schemas['Permission'];

export const permissionTexts = {
  'chat:read': ['Leer conversaciones propias', 'Read its own conversations', 'Ler as próprias conversas'],
  'chat:write': ['Escribir mensajes', 'Write messages', 'Escrever mensagens'],
  'files:upload': ['Subir archivos', 'Upload files', 'Enviar arquivos'],
  'agents:support': ['Hablar con soporte', 'Talk to support', 'Falar com o suporte'],
  'agents:sales': ['Hablar con ventas', 'Talk to sales', 'Falar com vendas'],
  'agents:booking': ['Reservar', 'Book', 'Reservar'],
  'agents:marketing': ['Recibir marketing', 'Get marketing', 'Receber marketing'],
  'tenant:manage': ['Administrar por programa', 'Manage by program', 'Administrar por programa'],
} as const satisfies Record<Permission, readonly [string, string, string]>;

export const isPermission = (name: string): name is Permission => name in permissionTexts;

export const PERMISSIONS: readonly Permission[] = Object.keys(permissionTexts).filter(isPermission);
