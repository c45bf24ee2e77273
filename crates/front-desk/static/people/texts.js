// What the pages say, in Spanish, English and Portuguese.
export const LANGUAGES = { es: 'Español', en: 'English', pt: 'Português' };

let chosen;

/** The language of the reader: chosen before, or what the browser asks for. */
export function language() {
  if (!chosen) {
    let kept;
    try {
      kept = localStorage.getItem('misy-language');
    } catch {
      // A browser that keeps nothing asks again each time.
    }
    const wanted = [kept, ...navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase())];
    chosen = wanted.find((code) => code in LANGUAGES) ?? 'es';
  }
  return chosen;
}

export function setLanguage(code) {
  chosen = code;
  try {
    localStorage.setItem('misy-language', code);
  } catch {
    // It counts for this page then.
  }
}

/** A text, or `otherwise` where there is none. */
export function say(key, otherwise) {
  const at = Object.keys(LANGUAGES).indexOf(language());
  return TEXTS[key]?.[at] ?? otherwise ?? key;
}

/** A moment, as the reader writes it. */
export const moment = (text) =>
  new Intl.DateTimeFormat(language(), { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(text));

const TEXTS = {
  language: ['Idioma', 'Language', 'Idioma'],
  required: ['Escribe algo aquí.', 'Fill this in.', 'Preencha este campo.'],
  sign_in: ['Iniciar sesión', 'Sign in', 'Entrar'],
  sign_out: ['Cerrar sesión', 'Sign out', 'Sair'],
  email: ['Correo electrónico', 'E-mail address', 'E-mail'],
  name: ['Nombre', 'Name', 'Nome'],
  password: ['Contraseña', 'Password', 'Senha'],
  new_password: ['Contraseña nueva', 'New password', 'Nova senha'],
  old_password: ['Contraseña actual', 'Current password', 'Senha atual'],
  password_hint: ['12 caracteres o más. Una frase sirve muy bien.', '12 characters or more. A sentence does very well.', '12 caracteres ou mais. Uma frase serve muito bem.'],
  forgot_password: ['¿Olvidaste la contraseña?', 'Forgot your password?', 'Esqueceu a senha?'],
  use_passkey: ['Usar una llave de acceso', 'Use a passkey', 'Usar uma chave de acesso'],
  use_provider: ['Entrar con tu organización', 'Use your organisation’s sign-in', 'Entrar pela sua organização'],
  organisation_id: ['Identificador de la organización', 'Organisation id', 'Identificador da organização'],
  organisation_id_hint: ['Por ejemplo: andina', 'For example: andina', 'Por exemplo: andina'],
  which_organisation: ['¿En cuál organización?', 'Which organisation?', 'Em qual organização?'],
  back: ['Volver', 'Back', 'Voltar'],
  cancel: ['Cancelar', 'Cancel', 'Cancelar'],
  confirm: ['Confirmar', 'Confirm', 'Confirmar'],
  go_on: ['Continuar', 'Continue', 'Continuar'],
  save: ['Guardar', 'Save', 'Salvar'],
  code: ['Código de 6 cifras', '6-digit code', 'Código de 6 dígitos'],
  recovery_code: ['Código de recuperación', 'Recovery code', 'Código de recuperação'],
  use_recovery_code: ['Usar un código de recuperación', 'Use a recovery code', 'Usar um código de recuperação'],
  second_factor_now: ['Confirma que eres tú', 'Confirm it is you', 'Confirme que é você'],
  second_factor_now_why: ['Falta tu segundo factor.', 'Your second factor is still needed.', 'Falta o seu segundo fator.'],
  provider: ['Proveedor', 'Provider', 'Provedor'],
  account_named: ['Cuenta', 'Account', 'Conta'],
  provider_says: ['Un proveedor dice que tú eres esta cuenta. Con tu código lo confirmas.', 'A provider says that you are this account. Your code confirms it.', 'Um provedor diz que você é esta conta. O seu código o confirma.'],
  provider_says_why: ['Si no empezaste tú a entrar con este proveedor, no escribas ningún código.', 'If you did not set out to sign in with this provider, type no code.', 'Se não foi você que começou a entrar com este provedor, não digite nenhum código.'],
  second_factor: ['Un segundo factor', 'A second factor', 'Um segundo fator'],
  second_factor_why: ['Así nadie entra solo con tu contraseña. Tu función lo necesita.', 'So that nobody comes in with your password alone. Your role needs one.', 'Assim ninguém entra só com a sua senha. A sua função precisa de um.'],
  with_passkey: ['Llave de acceso', 'Passkey', 'Chave de acesso'],
  with_passkey_why: ['Tu huella, tu rostro o el PIN de este dispositivo. Lo más seguro.', 'Your fingerprint, face or the PIN of this device. The safest way.', 'A sua digital, o seu rosto ou o PIN deste dispositivo. O mais seguro.'],
  add_passkey: ['Agregar una llave de acceso', 'Add a passkey', 'Adicionar uma chave de acesso'],
  passkey: ['Llave de acceso', 'Passkey', 'Chave de acesso'],
  with_app: ['Aplicación de códigos', 'Authenticator app', 'Aplicativo de códigos'],
  with_app_why: ['Una aplicación en tu teléfono que muestra códigos.', 'An app on your phone that shows codes.', 'Um aplicativo no seu telefone que mostra códigos.'],
  set_up_app: ['Configurar la aplicación', 'Set up the app', 'Configurar o aplicativo'],
  scan: ['Escanea esta imagen con la aplicación y escribe el código que muestra.', 'Scan this picture with the app, then type the code that it shows.', 'Escaneie esta imagem com o aplicativo e digite o código que ele mostra.'],
  qr_alt: ['Código QR para la aplicación; el texto está debajo', 'QR code for the app; the same as text is below', 'Código QR para o aplicativo; o texto está abaixo'],
  no_camera: ['¿Sin cámara? Escribe esta clave', 'No camera? Type this key', 'Sem câmera? Digite esta chave'],
  recovery_codes: ['Códigos de recuperación', 'Recovery codes', 'Códigos de recuperação'],
  recovery_codes_why: ['Guárdalos donde guardas lo importante. Cada uno sirve una vez, si pierdes tu segundo factor. No se muestran de nuevo.', 'Keep them where you keep what matters. Each is good once, for when you lose your second factor. They are not shown again.', 'Guarde-os onde guarda o que importa. Cada um serve uma vez, se você perder o segundo fator. Não serão mostrados de novo.'],
  codes_kept: ['Los guardé', 'I have kept them', 'Eu os guardei'],
  copy: ['Copiar', 'Copy', 'Copiar'],
  copied: ['Copiado', 'Copied', 'Copiado'],
  prove_again: ['Confirma que eres tú', 'Confirm it is you', 'Confirme que é você'],
  prove_again_why: ['Este cambio pide tu segundo factor otra vez.', 'This change asks for your second factor again.', 'Esta mudança pede o seu segundo fator de novo.'],
  enroll: ['Crea tu cuenta', 'Make your account', 'Crie a sua conta'],
  enroll_why: ['Serás la primera persona que administra esta organización.', 'You will be the first to administer this organisation.', 'Você será a primeira pessoa a administrar esta organização.'],
  link_incomplete: ['A esta dirección le falta algo. Abre el enlace completo que recibiste.', 'This address lacks something. Open the whole link that you were given.', 'Falta algo neste endereço. Abra o link completo que você recebeu.'],
  invitation: ['Te invitaron', 'You are invited', 'Você foi convidado'],
  invitation_why: ['Elige tu nombre y una contraseña para entrar.', 'Choose your name and a password to come in.', 'Escolha o seu nome e uma senha para entrar.'],
  reset_password: ['Contraseña nueva', 'A new password', 'Nova senha'],
  reset_password_why: ['Te enviaremos un enlace para elegir otra contraseña.', 'We send you a link to choose another password.', 'Enviaremos um link para escolher outra senha.'],
  send_link: ['Enviar el enlace', 'Send the link', 'Enviar o link'],
  link_sent: ['Si hay una cuenta con esa dirección, el enlace va en camino.', 'If there is an account with this address, the link is on its way.', 'Se houver uma conta com esse endereço, o link está a caminho.'],
  password_set: ['La contraseña cambió. Ya puedes iniciar sesión.', 'The password is changed. You can sign in now.', 'A senha foi alterada. Você já pode entrar.'],
  account: ['Tu cuenta', 'Your account', 'A sua conta'],
  roles: ['Funciones', 'Roles', 'Funções'],
  organisation: ['Organización', 'Organisation', 'Organização'],
  sessions: ['Dónde has iniciado sesión', 'Where you are signed in', 'Onde você está conectado'],
  this_browser: ['Este navegador', 'This browser', 'Este navegador'],
  end_session: ['Cerrar', 'End', 'Encerrar'],
  end_session_of: ['Cerrar la sesión de', 'End the session of', 'Encerrar a sessão de'],
  end_others: ['Cerrar todas las demás', 'End all others', 'Encerrar todas as outras'],
  unknown_browser: ['Navegador desconocido', 'Unknown browser', 'Navegador desconhecido'],
  last_used: ['Último uso', 'Last used', 'Último uso'],
  never_used: ['Sin usar', 'Not used yet', 'Ainda não usada'],
  added: ['Agregada', 'Added', 'Adicionada'],
  passkeys: ['Llaves de acceso', 'Passkeys', 'Chaves de acesso'],
  no_passkeys: ['Todavía no tienes.', 'You have none yet.', 'Você ainda não tem.'],
  synchronised: ['Sincronizada', 'Synchronised', 'Sincronizada'],
  rename: ['Renombrar', 'Rename', 'Renomear'],
  remove: ['Quitar', 'Remove', 'Remover'],
  new_name: ['Nombre nuevo', 'New name', 'Novo nome'],
  app_renew: ['Configurar la aplicación de códigos', 'Set up an authenticator app', 'Configurar o aplicativo de códigos'],
  codes_renew: ['Crear códigos de recuperación nuevos', 'Make new recovery codes', 'Criar novos códigos de recuperação'],
  other_factors: ['Otros segundos factores', 'Other second factors', 'Outros segundos fatores'],
  tokens: ['Claves personales de la API', 'Personal API tokens', 'Chaves pessoais da API'],
  tokens_why: ['Para tus propios programas. Pueden a lo sumo lo que tú puedes.', 'For programs of your own. They may do what you may do at most.', 'Para os seus programas. Podem no máximo o que você pode.'],
  no_tokens: ['No hay claves.', 'There are none.', 'Não há chaves.'],
  new_token: ['Crear una clave', 'Make a token', 'Criar uma chave'],
  token_name: ['Para qué es', 'What it is for', 'Para que serve'],
  token_scopes: ['Qué puede hacer', 'What it may do', 'O que pode fazer'],
  token_scopes_hint: ['Por ejemplo: tenant:read sites:read', 'For example: tenant:read sites:read', 'Por exemplo: tenant:read sites:read'],
  token_days: ['Días que sirve', 'Good for so many days', 'Dias de validade'],
  token_made: ['Cópiala ahora: no se muestra de nuevo.', 'Copy it now: it is not shown again.', 'Copie agora: não será mostrada de novo.'],
  expires: ['Vence', 'Expires', 'Expira'],
  revoke: ['Revocar', 'Revoke', 'Revogar'],
  change_password: ['Cambiar la contraseña', 'Change the password', 'Alterar a senha'],
  changed: ['Listo.', 'Done.', 'Pronto.'],
  passkey_not_used: ['No se usó ninguna llave de acceso. Inténtalo otra vez.', 'No passkey was used. Try again.', 'Nenhuma chave de acesso foi usada. Tente de novo.'],
  passkey_there_already: ['Este dispositivo ya tiene una llave tuya.', 'This device has a passkey of yours already.', 'Este dispositivo já tem uma chave sua.'],
  problem_other: ['Algo no funcionó. Inténtalo otra vez.', 'Something did not work. Try again.', 'Algo não funcionou. Tente de novo.'],
  problem_csrf_refused: ['Otra página te trajo hasta aquí. Empieza desde esta.', 'Another page brought you here. Begin from this one.', 'Outra página trouxe você até aqui. Comece por esta.'],
  problem_second_factor_required: ['Falta tu segundo factor. Inicia sesión de nuevo.', 'Your second factor is still needed. Sign in again.', 'Falta o seu segundo fator. Entre de novo.'],
  problem_enrollment_link_required: ['Tu contraseña sola no registra un segundo factor. En este navegador, crea una contraseña nueva con un enlace: «¿Olvidaste la contraseña?», o pide uno a quien administra. Luego inicia sesión.', 'Your password alone enrols no second factor. In this browser, set a new password by a link: “Forgot your password?”, or ask your administrator for one. Then sign in.', 'A sua senha sozinha não cadastra um segundo fator. Neste navegador, defina uma nova senha por um link: “Esqueceu a senha?”, ou peça um a quem administra. Depois entre.'],
  problem_credentials_invalid: ['El correo o la contraseña no es correcto.', 'The address or the password is not right.', 'O e-mail ou a senha não está correto.'],
  problem_code_invalid: ['El código no es correcto.', 'The code is not right.', 'O código não está correto.'],
  problem_challenge_invalid: ['Pasó demasiado tiempo, o se empezó en otro navegador. Empieza de nuevo.', 'It took too long, or was begun in another browser. Begin again.', 'Demorou demais, ou começou em outro navegador. Comece de novo.'],
  problem_rate_limited: ['Demasiados intentos. Espera un momento.', 'Too many attempts. Wait a moment.', 'Tentativas demais. Espere um momento.'],
  problem_passkey_invalid: ['La llave de acceso no fue aceptada.', 'The passkey was not accepted.', 'A chave de acesso não foi aceita.'],
  problem_passkey_cloned: ['Parece que hay una copia de esta llave. Quítala y habla con quien administra.', 'There seems to be a copy of this passkey. Remove it and tell your administrator.', 'Parece haver uma cópia desta chave. Remova-a e fale com quem administra.'],
  problem_token_invalid: ['El enlace ya no sirve.', 'The link is good no more.', 'O link não serve mais.'],
  problem_tenant_suspended: ['La organización está suspendida.', 'The organisation is suspended.', 'A organização está suspensa.'],
  problem_tenant_claim_mismatch: ['Perteneces a otra organización.', 'You belong to another organisation.', 'Você pertence a outra organização.'],
  problem_email_not_verified: ['Tu proveedor no ha verificado tu correo.', 'Your provider has not verified your address.', 'O seu provedor não verificou o seu e-mail.'],
  problem_account_unknown: ['No hay una cuenta para ti. Pide una invitación.', 'There is no account for you. Ask for an invitation.', 'Não há uma conta para você. Peça um convite.'],
  problem_account_disabled: ['La cuenta está desactivada.', 'The account is disabled.', 'A conta está desativada.'],
  problem_link_not_proved: ['Tu cuenta puede más de lo que avala tu proveedor. Entra con tu contraseña y registra un segundo factor primero.', 'Your account may do more than your provider stands for. Sign in with your password and enrol a second factor first.', 'Sua conta pode mais do que o seu provedor garante. Entre com sua senha e registre um segundo fator primeiro.'],
  problem_no_role: ['Ninguno de tus grupos tiene una función aquí.', 'None of your groups has a role here.', 'Nenhum dos seus grupos tem uma função aqui.'],
  problem_sign_in_refused: ['La respuesta del proveedor no fue aceptada. Empieza de nuevo.', 'The provider’s answer was not accepted. Begin again.', 'A resposta do provedor não foi aceita. Comece de novo.'],
  problem_sign_in_denied: ['El proveedor no te dejó entrar.', 'The provider did not sign you in.', 'O provedor não autorizou a entrada.'],
  problem_provider_unavailable: ['El proveedor no responde como debe.', 'The provider does not answer as it should.', 'O provedor não responde como deve.'],
  problem_provider_required: ['Tu organización entra solo con su propio proveedor.', 'Your organisation signs in with its own provider only.', 'A sua organização entra só pelo próprio provedor.'],
  problem_last_second_factor: ['Es tu último segundo factor: agrega otro antes.', 'It is your last second factor: add another first.', 'É o seu último segundo fator: adicione outro antes.'],
  problem_last_way_in: ['Es tu única forma de entrar.', 'It is your only way in.', 'É a sua única forma de entrar.'],
  problem_enrollment_finished: ['Este enlace ya se usó. Inicia sesión.', 'This link was used already. Sign in instead.', 'Este link já foi usado. Entre na sua conta.'],
  problem_not_found: ['Aquí no hay nada.', 'There is nothing here.', 'Não há nada aqui.'],
};
