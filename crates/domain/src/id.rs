//! Prefixed, unguessable identifiers such as `msg_01k9…`.

use crate::{Clock, Entropy, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, hash::Hash, marker::PhantomData, str::FromStr};

/// What an identifier names; gives its prefix.
pub trait Named: Copy + Eq + Hash + Ord + Send + Sync + 'static {
    /// The letters before the underscore.
    const PREFIX: &'static str;
    /// The last bit of every fresh identifier, where it says something.
    const LAST_BIT: Option<bool> = None;
}

/// An identifier: 48 bits of milliseconds, so that new rows stay close together in an index, and 80 random bits, so that
/// nobody can guess one. Written as the prefix, an underscore and 26 characters of Crockford's base 32 in lower case.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id<N: Named>(u128, PhantomData<N>);

/// The text is not an identifier of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not an identifier of this kind")]
pub struct InvalidId;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH: usize = 26;

impl<N: Named> Id<N> {
    /// A fresh identifier.
    pub fn new(clock: &dyn Clock, entropy: &dyn Entropy) -> Self {
        let mut random = [0u8; 16];
        entropy.fill(&mut random[6..]);
        // Millisecond of a date between 1970 and the year 10889 fits 48 bits.
        let millis = clock.now().as_millisecond().max(0).to_be_bytes();
        random[..6].copy_from_slice(&millis[2..]);
        if let Some(bit) = N::LAST_BIT {
            random[15] = random[15] & !1 | u8::from(bit);
        }
        Self(u128::from_be_bytes(random), PhantomData)
    }
}

impl<N: Named> Id<N> {
    /// The least that an identifier of this moment can be; `None` before 1970.
    pub fn first_of(at: Timestamp) -> Option<Self> {
        let millis = u128::try_from(at.as_millisecond()).ok()?;
        Some(Self(millis << 80, PhantomData))
    }

    /// As it travels between processes of an installation.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// The other way: any 16 bytes are an identifier, of something or of nothing.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes), PhantomData)
    }
}

impl<N: Named> fmt::Display for Id<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0u8; LENGTH];
        for (place, byte) in text.iter_mut().rev().enumerate() {
            let digit = usize::try_from((self.0 >> (5 * place)) & 31).unwrap_or_default();
            *byte = ALPHABET[digit];
        }
        write!(f, "{}_{}", N::PREFIX, String::from_utf8_lossy(&text))
    }
}

impl<N: Named> fmt::Debug for Id<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<N: Named> FromStr for Id<N> {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let digits = text.strip_prefix(N::PREFIX).and_then(|rest| rest.strip_prefix('_')).ok_or(InvalidId)?;
        // 26 digits hold 130 bits: the first may use only three of its five.
        if digits.len() != LENGTH || digits.as_bytes()[0] > b'7' {
            return Err(InvalidId);
        }
        digits
            .bytes()
            .try_fold(0u128, |value, byte| {
                let digit = ALPHABET.iter().position(|a| *a == byte)?;
                Some(value << 5 | digit as u128)
            })
            .map(|value| Self(value, PhantomData))
            .ok_or(InvalidId)
    }
}

impl<N: Named> Serialize for Id<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, N: Named> Deserialize<'de> for Id<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// The kinds of things that have an identifier.
pub mod kind {
    use super::Named;

    /// A visit or thread of a contact.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct Session;
    /// A message.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct Message;
    /// An ordered exchange between a contact and a tenant.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct Conversation;
    /// An end user of a tenant.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct Contact;
    /// An account on a channel.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct ChannelAccount;
    /// Who a contact is on a channel.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct Identity;
    /// A message on its way out of a channel account.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct Delivery;
    /// A file that was uploaded.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct File;
    /// A publishable key, secret key or tenant secret.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct Key;
    /// An HTTP request.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct Request;
    /// A tenant access token (its `jti`).
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct Token;
    /// An entry of an audit trail.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct Audit;
    /// A person of a tenant: an administrator, a human agent …
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct User;
    /// A session of a signed-in user.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct SignIn;
    /// A passkey of a user.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct Passkey;
    /// A client certificate that is bound to a tenant.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct Certificate;
    /// A use of a privileged operation.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct Grant;
    /// An alert.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct Alert;
    /// A note on a conversation.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct Note;
    /// A mail that waits to be sent.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct Mail;
    /// A booking.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct Booking;
    /// A rotation of keys.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct Rotation;

    impl Named for Session {
        const PREFIX: &'static str = "ses";
    }
    impl Named for Message {
        const PREFIX: &'static str = "msg";
    }
    impl Named for Conversation {
        const PREFIX: &'static str = "cnv";
    }
    impl Named for Contact {
        const PREFIX: &'static str = "con";
    }
    impl Named for ChannelAccount {
        const PREFIX: &'static str = "cha";
    }
    impl Named for Identity {
        const PREFIX: &'static str = "idn";
    }
    impl Named for Delivery {
        const PREFIX: &'static str = "dlv";
    }
    impl Named for File {
        const PREFIX: &'static str = "fil";
    }
    impl Named for Key {
        const PREFIX: &'static str = "key";
    }
    impl Named for Request {
        const PREFIX: &'static str = "req";
        // The audit entry of a call has the id of its request: no entry of another kind has one like it.
        const LAST_BIT: Option<bool> = Some(false);
    }
    impl Named for Token {
        const PREFIX: &'static str = "tat";
    }
    impl Named for Audit {
        const PREFIX: &'static str = "aud";
        const LAST_BIT: Option<bool> = Some(true);
    }
    impl Named for User {
        const PREFIX: &'static str = "usr";
    }
    impl Named for SignIn {
        const PREFIX: &'static str = "sgn";
    }
    impl Named for Passkey {
        const PREFIX: &'static str = "psk";
    }
    impl Named for Certificate {
        const PREFIX: &'static str = "crt";
    }
    impl Named for Grant {
        const PREFIX: &'static str = "grt";
    }
    impl Named for Alert {
        const PREFIX: &'static str = "alr";
    }
    impl Named for Note {
        const PREFIX: &'static str = "nte";
    }
    impl Named for Mail {
        const PREFIX: &'static str = "eml";
    }
    impl Named for Booking {
        const PREFIX: &'static str = "bkg";
    }
    impl Named for Rotation {
        const PREFIX: &'static str = "rot";
    }
}

/// `ses_…`
pub type SessionId = Id<kind::Session>;
/// `msg_…`
pub type MessageId = Id<kind::Message>;
/// `cnv_…`
pub type ConversationId = Id<kind::Conversation>;
/// `con_…`
pub type ContactId = Id<kind::Contact>;
/// `cha_…`
pub type ChannelAccountId = Id<kind::ChannelAccount>;
/// `idn_…`
pub type IdentityId = Id<kind::Identity>;
/// `dlv_…`
pub type DeliveryId = Id<kind::Delivery>;
/// `fil_…`
pub type FileId = Id<kind::File>;
/// `key_…`
pub type KeyId = Id<kind::Key>;
/// `req_…`
pub type RequestId = Id<kind::Request>;
/// `tat_…`, the `jti` of a tenant access token.
pub type TokenId = Id<kind::Token>;
/// `aud_…`
pub type AuditId = Id<kind::Audit>;
/// `usr_…`
pub type UserId = Id<kind::User>;
/// `sgn_…`
pub type SignInId = Id<kind::SignIn>;
/// `psk_…`
pub type PasskeyId = Id<kind::Passkey>;
/// `crt_…`
pub type CertificateId = Id<kind::Certificate>;
/// `grt_…`
pub type GrantId = Id<kind::Grant>;
/// `alr_…`
pub type AlertId = Id<kind::Alert>;
/// `nte_…`
pub type NoteId = Id<kind::Note>;
/// `eml_…`
pub type MailId = Id<kind::Mail>;
/// `bkg_…`
pub type BookingId = Id<kind::Booking>;
/// `rot_…`
pub type RotationId = Id<kind::Rotation>;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_identifier_survives_being_written_and_read(value: u128) {
            let id: SessionId = Id(value, PhantomData);
            prop_assert_eq!(id.to_string().parse::<SessionId>(), Ok(id));
        }

        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,40}") {
            let _ = text.parse::<MessageId>();
        }
    }

    #[test]
    fn no_fresh_id_of_an_audit_entry_is_that_of_a_request() {
        struct At(u8);
        impl Entropy for At {
            fn fill(&self, bytes: &mut [u8]) {
                bytes.fill(self.0);
            }
        }
        for byte in 0..=255 {
            let last = |id: String| ALPHABET.iter().position(|a| Some(a) == id.as_bytes().last()).unwrap();
            let (clock, entropy) = (crate::SystemClock, At(byte));
            assert_eq!(last(RequestId::new(&clock, &entropy).to_string()) % 2, 0);
            assert_eq!(last(AuditId::new(&clock, &entropy).to_string()) % 2, 1);
        }
    }

    #[test]
    fn an_identifier_of_another_kind_is_refused() {
        let id: SessionId = Id(7, PhantomData);
        assert_eq!(id.to_string().parse::<MessageId>(), Err(InvalidId));
        assert_eq!(id.to_string().to_uppercase().parse::<SessionId>(), Err(InvalidId));
    }
}
