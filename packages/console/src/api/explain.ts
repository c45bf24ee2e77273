import { MisyProblem, type ProblemCode, UnexpectedAnswer } from '@misy/api-client';
import { type Language, sayIn, type Text } from '../words/language.js';

/** What a problem means to the person in front, and what they can do. */
export function explain(error: unknown, language: Language): string {
  if (error instanceof MisyProblem) {
    const words = said(error.detail, language);
    if (words) return words;
    const text = PROBLEMS[error.code];
    if (text) return sayIn(language, { text })('text');
    const [first] = error.errors;
    if (first) return mistake(first.code, first.message, language);
    return error.detail;
  }
  const other: Text = error instanceof UnexpectedAnswer ? UNEXPECTED : NO_NETWORK;
  return sayIn(language, { other })('other');
}

/** What is wrong with a field. */
export function mistake(code: string, message: string, language: Language): string {
  const words = said(message, language);
  if (words) return words;
  const text = MISTAKES[code];
  // The server's own words are the more exact ones where they are in the reader's language.
  return text && language !== 'en' ? sayIn(language, { text })('text') : message.charAt(0).toUpperCase() + message.slice(1);
}

const NO_NETWORK: Text = [
  'No se pudo llegar al servidor. Revisa la conexión e inténtalo de nuevo.',
  'The server could not be reached. Check your connection and try again.',
  'Não foi possível acessar o servidor. Verifique a conexão e tente de novo.',
];
const UNEXPECTED: Text = [
  'Respondió algo que no es Misy, quizá un proxy. Inténtalo de nuevo en un momento.',
  'Something answered that is not Misy, perhaps a proxy. Try again in a moment.',
  'Algo respondeu que não é o Misy, talvez um proxy. Tente de novo em instantes.',
];

const PROBLEMS: Partial<Record<ProblemCode, Text>> = {
  step_up_required: ['No se hizo: falta confirmar que eres tú.', 'Not done: it needs your confirmation that it is you.', 'Não foi feito: falta confirmar que é você.'],
  reason_required: ['No se hizo: falta decir por qué.', 'Not done: it needs a reason.', 'Não foi feito: falta dizer o motivo.'],
  session_missing: ['Inicia sesión para continuar.', 'Sign in to go on.', 'Entre para continuar.'],
  session_expired: ['La sesión terminó. Inicia sesión otra vez.', 'Your session is over. Sign in again.', 'A sessão terminou. Entre de novo.'],
  session_invalid: ['La sesión terminó. Inicia sesión otra vez.', 'Your session is over. Sign in again.', 'A sessão terminou. Entre de novo.'],
  csrf_refused: ['Esta página quedó vieja. Recárgala.', 'This page is out of date. Reload it.', 'Esta página ficou desatualizada. Recarregue.'],
  code_invalid: ['El código no es correcto o ya se usó.', 'The code is not right, or was used before.', 'O código não está certo ou já foi usado.'],
  permission_denied: ['Tu rol no permite esto. Pídeselo a quien administra.', 'Your role does not allow this. Ask an administrator.', 'Sua função não permite isto. Peça a quem administra.'],
  privilege_required: ['Esto es del cliente: primero pide acceso de soporte, con un motivo.', 'This belongs to the tenant: ask for support access first, with a reason.', 'Isto é do cliente: peça antes acesso de suporte, com um motivo.'],
  role_above_own: ['Nadie da ni cambia un rol que puede más que el suyo.', 'Nobody gives or changes a role that may do more than their own.', 'Ninguém dá nem muda uma função que pode mais que a sua.'],
  tenant_suspended: ['La organización está suspendida o cerrada.', 'The organisation is suspended or closed.', 'A organização está suspensa ou fechada.'],
  not_found: ['No existe, o ya no.', 'It is not there, or not any more.', 'Não existe, ou não existe mais.'],
  conversation_held: ['Otra persona ya responde en esta conversación.', 'Somebody else answers in this conversation already.', 'Outra pessoa já responde nesta conversa.'],
  conversation_moved: ['La persona escribió mientras tanto. Lee lo nuevo y decide otra vez.', 'They have written meanwhile. Read it, and decide again.', 'A pessoa escreveu enquanto isso. Leia o novo e decida outra vez.'],
  conversation_not_held: ['Toma la conversación antes de responder.', 'Take the conversation before you answer.', 'Assuma a conversa antes de responder.'],
  slot_taken: ['Esta hora ya es de otra persona.', 'Somebody else has this time.', 'Este horário já é de outra pessoa.'],
  slot_refused: ['A esta hora no se puede reservar.', 'This time cannot be booked.', 'Não é possível reservar neste horário.'],
  stale: ['Alguien lo cambió mientras tanto. Carga lo nuevo y vuelve a aplicar tu cambio.', 'Somebody changed it meanwhile. Load what is new and make your change again.', 'Alguém mudou isto enquanto isso. Carregue o novo e refaça sua mudança.'],
  too_many: ['Ya hay tantos como puede haber. Quita uno antes.', 'There are as many as there may be. Remove one first.', 'Já há o máximo permitido. Remova um antes.'],
  last_administrator: ['No quedaría nadie que administre. Nombra antes a otra persona.', 'Nobody would be left to administer. Make somebody else an administrator first.', 'Não restaria ninguém para administrar. Nomeie outra pessoa antes.'],
  role_in_use: ['Alguien tiene este rol. Quítaselo antes.', 'Somebody has this role. Take it from them first.', 'Alguém tem esta função. Retire-a antes.'],
  not_invited: ['Esta persona ya entró: no hay invitación que enviar.', 'They have come in already: there is no invitation to send.', 'Esta pessoa já entrou: não há convite a enviar.'],
  certificate_bound: ['Este certificado ya está en uso.', 'This certificate is in use already.', 'Este certificado já está em uso.'],
  rate_limited: ['Demasiadas llamadas. Espera un momento.', 'Too many calls. Wait a moment.', 'Chamadas demais. Espere um momento.'],
  quota_exceeded: ['La cuota del mes se acabó.', 'The month’s quota is used up.', 'A cota do mês acabou.'],
  unavailable: ['No está disponible ahora. Inténtalo de nuevo en un momento.', 'Not available right now. Try again in a moment.', 'Indisponível agora. Tente de novo em instantes.'],
  internal: ['Algo falló en el servidor. Inténtalo de nuevo; si sigue, avisa con el número de la llamada.', 'Something failed on the server. Try again; if it goes on, report the request number.', 'Algo falhou no servidor. Tente de novo; se continuar, informe o número da chamada.'],
  domain_in_use: ['Otra organización probó ya este dominio.', 'Another organisation has proved this domain.', 'Outra organização já provou este domínio.'],
  enrollment_link_required: ['Hace falta un enlace de restablecimiento antes de añadir un segundo factor.', 'A reset link is needed before a second factor can be added.', 'É preciso um link de redefinição antes de adicionar um segundo fator.'],
};

/** What the server says in words that tell more than their code, in Spanish and Portuguese. */
const SAID: Readonly<Record<string, readonly [es: string, pt: string]>> = {
  'the vendor does not confirm that it is yours': ['Meta no confirma que sea tuyo. Revisa el identificador y de quién es el token.', 'A Meta não confirma que é seu. Confira o identificador e de quem é o token.'],
  'the vendor does not let in whoever has this token': ['Meta no deja entrar con este token. Genera otro.', 'A Meta não deixa entrar com este token. Gere outro.'],
  'is not the secret of the app that the token belongs to': ['No es la clave secreta de la aplicación a la que pertenece el token.', 'Não é a chave secreta do aplicativo ao qual o token pertence.'],
  'must be 5 to 32 digits': ['Deben ser de 5 a 32 cifras.', 'Devem ser de 5 a 32 dígitos.'],
  'must be a public address that begins with https://': ['Debe ser una dirección pública que empiece por https://', 'Deve ser um endereço público que comece com https://'],
  'This time is over.': ['Esta hora ya pasó.', 'Este horário já passou.'],
  'This begins sooner than the business takes bookings.': ['Empieza antes de lo que el negocio acepta reservas.', 'Começa antes do que o negócio aceita reservas.'],
  'This is further ahead than the business takes bookings.': ['Es más adelante de lo que el negocio acepta reservas.', 'É mais adiante do que o negócio aceita reservas.'],
  'The business is closed that day.': ['El negocio cierra ese día.', 'O negócio está fechado nesse dia.'],
  'It takes longer than somebody is there.': ['Dura más de lo que hay alguien.', 'Dura mais do que há alguém.'],
  'Bookings begin at other minutes.': ['Las reservas empiezan a otros minutos.', 'As reservas começam em outros minutos.'],
  'Nobody is there at that time.': ['A esa hora no hay nadie.', 'Não há ninguém nesse horário.'],
  'The turn does not wait for this any more.': ['El turno ya no espera esto.', 'O turno não espera mais isto.'],
};

/** The same in the reader's language: the server's own words are those of English. */
function said(message: string, language: Language): string | undefined {
  const texts = SAID[message];
  if (!texts) return undefined;
  const [es, pt] = texts;
  return { es, en: message.charAt(0).toUpperCase() + message.slice(1), pt }[language];
}

const MISTAKES: Readonly<Record<string, Text>> = {
  required: ['Falta.', 'Is required.', 'Falta.'],
  type: ['No es del tipo esperado.', 'Is of another kind.', 'Não é do tipo esperado.'],
  unknown: ['No se conoce este campo.', 'This field is not known.', 'Este campo não é conhecido.'],
  format: ['No tiene la forma esperada.', 'Does not have the form expected.', 'Não tem a forma esperada.'],
  range: ['Está fuera de lo permitido.', 'Is out of range.', 'Está fora do permitido.'],
  too_short: ['Es demasiado corto.', 'Is too short.', 'É curto demais.'],
  too_long: ['Es demasiado largo.', 'Is too long.', 'É longo demais.'],
  too_many: ['Son demasiados.', 'Are too many.', 'São demais.'],
  too_large: ['Es demasiado grande.', 'Is too large.', 'É grande demais.'],
  too_costly: ['Cuesta demasiado responder con esto. Acórtalo.', 'Would cost too much to answer from. Shorten it.', 'Custa demais responder com isto. Encurte.'],
  order: ['El orden no puede ser.', 'The order cannot be.', 'A ordem não pode ser.'],
  duplicate: ['Ya existe.', 'Is there already.', 'Já existe.'],
  reference: ['Se refiere a algo que no existe.', 'Refers to something that is not there.', 'Refere-se a algo que não existe.'],
  not_allowed: ['No se permite.', 'Is not allowed.', 'Não é permitido.'],
  not_supported: ['Todavía no se puede.', 'Is not supported yet.', 'Ainda não é possível.'],
  unusable: ['No se puede usar.', 'Cannot be used.', 'Não pode ser usado.'],
  not_proved: ['Falta probarlo.', 'Is not proved.', 'Falta provar.'],
};
