//! How a section says its settings, and what its checks share.

use anyhow::bail;
use misy_domain::Secret;

/// One setting; shown by `misy config` and in docs/SETTINGS.md.
pub(crate) struct Setting {
    /// Its name in `misy.toml`; in the environment upper case behind `MISY_`.
    pub(crate) name: &'static str,
    /// What it does, its values and, in brackets, what holds when it is not set.
    pub(crate) meaning: &'static str,
    /// Whether its value must not be shown.
    pub(crate) secret: bool,
}

/// Says a section: its title, and each setting as `open` or `secret`, name, type, default and meaning.
///
/// Makes `Written`, the settings as they are written, and `SETTINGS`, which explains them. Empty text means "not set".
macro_rules! declare {
    ($title:literal; $($kind:ident $name:ident: $type:ty = $default:expr, $meaning:literal;)*) => {
        /// The settings of this section as they are written.
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(default)]
        pub(super) struct Written {
            $($name: $type,)*
        }

        impl Default for Written {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        /// What stands above this section.
        pub(super) const TITLE: &str = $title;

        /// What the settings of this section mean, in the order in which they are explained.
        pub(super) const SETTINGS: &[super::Setting] = &[
            $(super::Setting {
                name: stringify!($name),
                meaning: $meaning,
                secret: $crate::settings::declare::declare!(@ $kind),
            },)*
        ];
    };
    (@ open) => { false };
    (@ secret) => { true };
}
pub(super) use declare;

/// Text that is set.
pub(super) fn set(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

/// A secret that is set.
pub(super) fn hidden(text: &str) -> Option<Secret<String>> {
    set(text).map(|text| Secret::new(text.to_owned()))
}

/// On or off.
pub(super) fn switch(name: &str, text: &str) -> anyhow::Result<bool> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        other => bail!("{name} must be on or off, not {other:?}"),
    }
}
