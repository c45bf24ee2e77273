//! Enums of words. Each word has one text: in the database, in the API and in its description.

#[doc(hidden)]
pub use serde;

/// The text is none of the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not one of the known values")]
pub struct UnknownValue;

/// An enum that [`words!`](crate::words!) made.
pub trait Words: Copy + Eq + Send + Sync + 'static {
    /// What the words are for; the lines of its comment.
    const ABOUT: &'static [&'static str];
    /// Each text with the lines of its comment.
    const MEANINGS: &'static [(&'static str, &'static [&'static str])];
}

/// Makes an enum whose variants are words: with `ALL`, `as_str`, `FromStr`, `Display`, serde, and a schema. `as` gives the schema
/// another name than the enum's.
#[macro_export]
macro_rules! words {
    (
        $(#[doc = $about:literal])*
        $vis:vis enum $name:ident $(as $schema:ident)? {
            $($(#[doc = $meaning:literal])* $word:ident = $text:literal,)+
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $vis enum $name {
            $($(#[doc = $meaning])* $word,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: [Self; [$($text),+].len()] = [$(Self::$word),+];

            /// As it stands in the database and the API.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$word => $text,)+
                }
            }
        }

        impl $crate::words::Words for $name {
            const ABOUT: &'static [&'static str] = &[$($about),*];
            const MEANINGS: &'static [(&'static str, &'static [&'static str])] =
                &[$(($text, &[$($meaning),*])),+];
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::words::UnknownValue;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.into_iter().find(|word| word.as_str() == text).ok_or($crate::words::UnknownValue)
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::words::serde::Serialize for $name {
            fn serialize<S: $crate::words::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> $crate::words::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::words::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                use $crate::words::serde::de::Error;
                let text = <::std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(|_| D::Error::unknown_variant(&text, &[$($text),+]))
            }
        }

        $crate::schema_of_words!($name $(as $schema)?);
    };
}

/// Without descriptions there is nothing to say.
#[cfg(not(feature = "schema"))]
#[doc(hidden)]
#[macro_export]
macro_rules! schema_of_words {
    ($($anything:tt)*) => {};
}

/// The schema of an enum of words.
#[cfg(feature = "schema")]
#[doc(hidden)]
#[macro_export]
macro_rules! schema_of_words {
    ($name:ident) => {
        $crate::schema_of_words!($name as $name);
    };
    ($name:ident as $schema:ident) => {
        impl $crate::schema::utoipa::PartialSchema for $name {
            fn schema()
            -> $crate::schema::utoipa::openapi::RefOr<$crate::schema::utoipa::openapi::schema::Schema> {
                $crate::schema::of_words::<Self>()
            }
        }

        impl $crate::schema::utoipa::ToSchema for $name {
            fn name() -> ::std::borrow::Cow<'static, str> {
                ::std::borrow::Cow::Borrowed(stringify!($schema))
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use crate::{Plan, TenantStatus};

    #[test]
    fn a_word_is_written_and_read_as_its_text() {
        for plan in Plan::ALL {
            assert_eq!(plan.as_str().parse(), Ok(plan));
            let json = serde_json::to_string(&plan).unwrap();
            assert_eq!(json, format!("{:?}", plan.as_str()));
            assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
        }
    }

    #[test]
    fn what_is_no_word_is_refused_with_those_there_are() {
        let error = serde_json::from_str::<TenantStatus>("\"gone\"").unwrap_err().to_string();
        assert!(
            error.starts_with("unknown variant `gone`, expected one of `active`, `suspended`, `closed`"),
            "{error}"
        );
        assert!(
            serde_json::from_str::<TenantStatus>("3").unwrap_err().to_string().starts_with("invalid type")
        );
    }
}
