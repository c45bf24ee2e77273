//! What people are written: in their language, queued in the transaction of what it tells of, sent by the worker.

use crate::{desk::FrontDesk, problem::Problem};
use misy_store::{
    TenantKeys, TenantTx,
    mails::{self, Mail},
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
    /// An administrator took the second factor away.
    SecondFactorReset,
}

/// Queues a mail to a user, if the installation sends mail.
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
    let tenant = tx.tenant().to_string();
    let (subject, text) = compose(user.locale.as_deref().unwrap_or("es"), &user.name, &tenant, notice);
    let mail = Mail { to: user.email.to_string(), subject, text };
    Ok(mails::queue(tx, keys, &mail, &*desk.clock, &*desk.entropy).await?)
}

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
                "An administrator removed the second factor of your account in {tenant}. You enrol a new one at your next sign-in. If you did not ask for this, tell your administrator at once."
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
                "Um administrador removeu o segundo fator da sua conta em {tenant}. Você cadastrará outro no próximo acesso. Se não pediu isto, avise já o seu administrador."
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
                "Un administrador quitó el segundo factor de tu cuenta en {tenant}. Registrarás otro en tu próximo ingreso. Si no lo pediste, avisa ya a tu administrador."
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
}
