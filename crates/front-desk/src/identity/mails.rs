//! What people are written: in their language, queued in the transaction of what it tells of, sent by the worker.

use crate::{desk::FrontDesk, problem::Problem};
use metrics::counter;
use misy_store::{
    TenantKeys, TenantTx,
    mails::{self, Cause, Mail},
    users::User,
};

/// What is to be told.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Notice<'a> {
    /// Somebody was asked to join.
    Invitation {
        /// Where to accept.
        url: &'a str,
    },
    /// Somebody asked for a new password.
    PasswordReset {
        /// Where to set one.
        url: &'a str,
    },
    /// The password was changed.
    PasswordChanged,
    /// The first password was set, by an invitation.
    PasswordSet,
    /// An authenticator app was added, or put in the place of another.
    AppAdded,
    /// A passkey was added.
    PasskeyAdded {
        /// What its holder calls it.
        name: &'a str,
    },
    /// A passkey was removed.
    PasskeyRemoved {
        /// What its holder calls it.
        name: &'a str,
    },
    /// The recovery codes were replaced.
    RecoveryCodesRenewed,
    /// A person of a provider is the user from now on.
    ProviderLinked {
        /// The provider.
        issuer: &'a str,
    },
    /// An administrator took the second factor away.
    SecondFactorReset,
}

impl Notice<'_> {
    fn cause(self) -> Cause {
        match self {
            Self::Invitation { .. } => Cause::Asked,
            Self::PasswordReset { .. } => Cause::Stranger,
            _ => Cause::Notice,
        }
    }
}

/// Queues a mail to a user, if the installation sends mail. A mail that somebody asked for and that is one too many is refused;
/// what only tells of something is left out then, and nothing else fails for it.
pub(crate) async fn tell(
    desk: &FrontDesk,
    tx: &mut TenantTx,
    keys: &TenantKeys,
    user: &User,
    notice: Notice<'_>,
) -> Result<(), Problem> {
    if !desk.settings.mail {
        return Ok(());
    }
    let (to, cause) = (user.email.to_string(), notice.cause());
    if let Some(wait) = mails::count(tx, &desk.vault, &to, cause).await? {
        counter!("misy_mails_refused_total", "cause" => cause.as_str()).increment(1);
        return match cause {
            Cause::Asked | Cause::Stranger => Err(Problem::too_many_mails(wait)),
            Cause::Notice => Ok(()),
        };
    }
    let tenant = tx.tenant().to_string();
    let (subject, text) = compose(user.locale.as_deref().unwrap_or("es"), &user.name, &tenant, notice);
    let mail = Mail { to, subject, text };
    Ok(mails::queue(tx, keys, &mail, &*desk.clock, &*desk.entropy).await?)
}

#[allow(clippy::too_many_lines, reason = "a table of texts in three languages")]
fn compose(locale: &str, name: &str, tenant: &str, notice: Notice<'_>) -> (String, String) {
    use Notice as N;
    let language = locale.split('-').next().unwrap_or_default();
    let (hello, subject, body) = match (language, notice) {
        ("en", N::Invitation { url }) => (
            "Hello",
            format!("You are invited to {tenant} on Misy"),
            format!(
                "You were invited to work in {tenant}. Accept within 7 days:\n\n{url}\n\nIf you did not expect this, ignore it."
            ),
        ),
        ("en", N::PasswordReset { url }) => (
            "Hello",
            format!("Set a new password for {tenant}"),
            format!(
                "Somebody asked for a new password for your account in {tenant}. The link is good once, for an hour:\n\n{url}\n\nIf it was not you, ignore this mail; nothing has changed."
            ),
        ),
        ("en", N::PasswordChanged) => (
            "Hello",
            format!("Your password for {tenant} was changed"),
            format!(
                "The password of your account in {tenant} was changed and your other sessions were ended. If it was not you, tell your administrator at once."
            ),
        ),
        ("en", N::SecondFactorReset) => (
            "Hello",
            format!("Your second factor for {tenant} was removed"),
            format!(
                "An administrator removed the second factor of your account in {tenant}. Before you enrol a new one, set a new password by a link: “Forgot your password?”, or ask your administrator for one. If you did not ask for this, tell your administrator at once."
            ),
        ),
        ("en", N::PasswordSet) => (
            "Hello",
            format!("A password was set for {tenant}"),
            format!(
                "A password was set for your account in {tenant}. If it was not you, tell your administrator at once."
            ),
        ),
        ("en", N::AppAdded) => (
            "Hello",
            format!("An authenticator app was added for {tenant}"),
            format!(
                "An authenticator app became the second factor of your account in {tenant}, and your other sessions were ended. If it was not you, tell your administrator at once."
            ),
        ),
        ("en", N::PasskeyAdded { name }) => (
            "Hello",
            format!("A passkey was added for {tenant}"),
            format!(
                "The passkey “{name}” was added to your account in {tenant}, and your other sessions were ended. If it was not you, tell your administrator at once."
            ),
        ),
        ("en", N::PasskeyRemoved { name }) => (
            "Hello",
            format!("A passkey was removed for {tenant}"),
            format!(
                "The passkey “{name}” was removed from your account in {tenant}, and your other sessions were ended. If it was not you, tell your administrator at once."
            ),
        ),
        ("en", N::RecoveryCodesRenewed) => (
            "Hello",
            format!("Your recovery codes for {tenant} were renewed"),
            format!(
                "The recovery codes of your account in {tenant} were replaced; the old ones are good no more. If it was not you, tell your administrator at once."
            ),
        ),
        ("en", N::ProviderLinked { issuer }) => (
            "Hello",
            format!("A provider was linked to your account in {tenant}"),
            format!(
                "From now on the provider {issuer} can name your account in {tenant} at a sign-in; you confirmed it with your second factor. If it was not you, tell your administrator at once."
            ),
        ),
        ("pt", N::Invitation { url }) => (
            "Olá",
            format!("Convite para {tenant} no Misy"),
            format!(
                "Você foi convidado para trabalhar em {tenant}. Aceite em até 7 dias:\n\n{url}\n\nSe não esperava este convite, ignore-o."
            ),
        ),
        ("pt", N::PasswordReset { url }) => (
            "Olá",
            format!("Defina uma nova senha para {tenant}"),
            format!(
                "Alguém pediu uma nova senha para a sua conta em {tenant}. O link vale uma vez, por uma hora:\n\n{url}\n\nSe não foi você, ignore esta mensagem; nada mudou."
            ),
        ),
        ("pt", N::PasswordChanged) => (
            "Olá",
            format!("Sua senha de {tenant} foi alterada"),
            format!(
                "A senha da sua conta em {tenant} foi alterada e as outras sessões foram encerradas. Se não foi você, avise já o seu administrador."
            ),
        ),
        ("pt", N::SecondFactorReset) => (
            "Olá",
            format!("Seu segundo fator de {tenant} foi removido"),
            format!(
                "Um administrador removeu o segundo fator da sua conta em {tenant}. Antes de cadastrar outro, defina uma nova senha por um link: “Esqueceu a senha?”, ou peça um ao seu administrador. Se não pediu isto, avise já o seu administrador."
            ),
        ),
        ("pt", N::PasswordSet) => (
            "Olá",
            format!("Uma senha foi definida para {tenant}"),
            format!(
                "Uma senha foi definida para a sua conta em {tenant}. Se não foi você, avise já o seu administrador."
            ),
        ),
        ("pt", N::AppAdded) => (
            "Olá",
            format!("Um aplicativo de códigos foi adicionado em {tenant}"),
            format!(
                "Um aplicativo de códigos é agora o segundo fator da sua conta em {tenant}, e as outras sessões foram encerradas. Se não foi você, avise já o seu administrador."
            ),
        ),
        ("pt", N::PasskeyAdded { name }) => (
            "Olá",
            format!("Uma chave de acesso foi adicionada em {tenant}"),
            format!(
                "A chave de acesso “{name}” foi adicionada à sua conta em {tenant}, e as outras sessões foram encerradas. Se não foi você, avise já o seu administrador."
            ),
        ),
        ("pt", N::PasskeyRemoved { name }) => (
            "Olá",
            format!("Uma chave de acesso foi removida em {tenant}"),
            format!(
                "A chave de acesso “{name}” foi removida da sua conta em {tenant}, e as outras sessões foram encerradas. Se não foi você, avise já o seu administrador."
            ),
        ),
        ("pt", N::RecoveryCodesRenewed) => (
            "Olá",
            format!("Seus códigos de recuperação de {tenant} foram trocados"),
            format!(
                "Os códigos de recuperação da sua conta em {tenant} foram trocados; os antigos não valem mais. Se não foi você, avise já o seu administrador."
            ),
        ),
        ("pt", N::ProviderLinked { issuer }) => (
            "Olá",
            format!("Um provedor foi ligado à sua conta em {tenant}"),
            format!(
                "A partir de agora o provedor {issuer} pode indicar a sua conta em {tenant} ao entrar; você confirmou com o seu segundo fator. Se não foi você, avise já o seu administrador."
            ),
        ),
        (_, N::Invitation { url }) => (
            "Hola",
            format!("Invitación a {tenant} en Misy"),
            format!(
                "Te invitaron a trabajar en {tenant}. Acepta en los próximos 7 días:\n\n{url}\n\nSi no esperabas esta invitación, ignórala."
            ),
        ),
        (_, N::PasswordReset { url }) => (
            "Hola",
            format!("Crea una contraseña nueva para {tenant}"),
            format!(
                "Alguien pidió una contraseña nueva para tu cuenta en {tenant}. El enlace sirve una vez, durante una hora:\n\n{url}\n\nSi no fuiste tú, ignora este mensaje; nada cambió."
            ),
        ),
        (_, N::PasswordChanged) => (
            "Hola",
            format!("Tu contraseña de {tenant} cambió"),
            format!(
                "La contraseña de tu cuenta en {tenant} cambió y se cerraron tus otras sesiones. Si no fuiste tú, avisa ya a tu administrador."
            ),
        ),
        (_, N::SecondFactorReset) => (
            "Hola",
            format!("Se quitó tu segundo factor de {tenant}"),
            format!(
                "Un administrador quitó el segundo factor de tu cuenta en {tenant}. Antes de registrar otro, crea una contraseña nueva con un enlace: «¿Olvidaste la contraseña?», o pídelo a tu administrador. Si no lo pediste, avisa ya a tu administrador."
            ),
        ),
        (_, N::PasswordSet) => (
            "Hola",
            format!("Se creó una contraseña para {tenant}"),
            format!(
                "Se creó una contraseña para tu cuenta en {tenant}. Si no fuiste tú, avisa ya a tu administrador."
            ),
        ),
        (_, N::AppAdded) => (
            "Hola",
            format!("Se agregó una aplicación de códigos en {tenant}"),
            format!(
                "Una aplicación de códigos es ahora el segundo factor de tu cuenta en {tenant}, y se cerraron tus otras sesiones. Si no fuiste tú, avisa ya a tu administrador."
            ),
        ),
        (_, N::PasskeyAdded { name }) => (
            "Hola",
            format!("Se agregó una llave de acceso en {tenant}"),
            format!(
                "La llave de acceso “{name}” se agregó a tu cuenta en {tenant}, y se cerraron tus otras sesiones. Si no fuiste tú, avisa ya a tu administrador."
            ),
        ),
        (_, N::PasskeyRemoved { name }) => (
            "Hola",
            format!("Se quitó una llave de acceso en {tenant}"),
            format!(
                "La llave de acceso “{name}” se quitó de tu cuenta en {tenant}, y se cerraron tus otras sesiones. Si no fuiste tú, avisa ya a tu administrador."
            ),
        ),
        (_, N::RecoveryCodesRenewed) => (
            "Hola",
            format!("Tus códigos de recuperación de {tenant} cambiaron"),
            format!(
                "Los códigos de recuperación de tu cuenta en {tenant} cambiaron; los anteriores ya no sirven. Si no fuiste tú, avisa ya a tu administrador."
            ),
        ),
        (_, N::ProviderLinked { issuer }) => (
            "Hola",
            format!("Se vinculó un proveedor a tu cuenta en {tenant}"),
            format!(
                "Desde ahora el proveedor {issuer} puede indicar tu cuenta en {tenant} al entrar; lo confirmaste con tu segundo factor. Si no fuiste tú, avisa ya a tu administrador."
            ),
        ),
    };
    (subject, format!("{hello} {name},\n\n{body}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_written_in_the_language_of_its_reader() {
        let notice = Notice::Invitation { url: "https://x.example/invite#token=inv_1" };
        for (locale, start) in
            [("es-CO", "Hola Ana,"), ("en", "Hello Ana,"), ("pt-BR", "Olá Ana,"), ("de", "Hola Ana,")]
        {
            let (subject, text) = compose(locale, "Ana", "andina", notice);
            assert!(text.starts_with(start) && text.contains("token=inv_1"), "{text}");
            assert!(subject.contains("andina"), "{subject}");
        }
    }

    #[test]
    fn everything_that_changes_how_somebody_comes_in_is_told_in_three_languages() {
        let notices = [
            Notice::PasswordChanged,
            Notice::PasswordSet,
            Notice::AppAdded,
            Notice::PasskeyAdded { name: "Telephone" },
            Notice::PasskeyRemoved { name: "Telephone" },
            Notice::RecoveryCodesRenewed,
            Notice::ProviderLinked { issuer: "https://idp.example" },
            Notice::SecondFactorReset,
        ];
        let all =
            ["es", "en", "pt"].map(|locale| notices.map(|notice| compose(locale, "Ana", "andina", notice)));
        let texts: std::collections::BTreeSet<&String> = all.iter().flatten().map(|(_, text)| text).collect();
        assert_eq!(texts.len(), 3 * notices.len());
        assert!(
            all.iter().flatten().all(|(subject, text)| subject.contains("andina") && text.contains("andina"))
        );
    }
}
