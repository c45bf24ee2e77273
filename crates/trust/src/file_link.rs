//! Links to files: whoever has one reads one file, for a short time. It names no caller, so that a page can show the file where
//! it can send no headers of its own.

use crate::digest::{MacKey, derive_key};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use misy_domain::{FileId, Secret, TenantId};

/// Signs links to the files of one tenant. Any replica derives the key from the tenant's signing root; nothing is stored.
pub struct FileLinks(MacKey);

/// What a link says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileLink {
    /// The file that it opens.
    pub file: FileId,
    /// From when on it opens nothing, in Unix seconds.
    pub expires: i64,
    /// The tenant's credential epoch when it was made: raising that ends all links at once.
    pub epoch: i64,
}

impl FileLinks {
    /// Those of a tenant.
    pub fn of(root: &Secret<[u8; 32]>, tenant: &TenantId) -> Self {
        let info: [&[u8]; 2] = [b"misy-file-v1|", tenant.as_str().as_bytes()];
        Self(MacKey::new(&derive_key(root.expose(), &[], &info)))
    }

    /// The signature of a link.
    pub fn sign(&self, link: FileLink) -> String {
        URL_SAFE_NO_PAD.encode(self.0.tag(&[link.text().as_bytes()]))
    }

    /// Whether this is the signature of exactly this link.
    pub fn is_signed(&self, link: FileLink, signature: &str) -> bool {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(signature) else { return false };
        let Ok(tag) = <[u8; 32]>::try_from(bytes) else { return false };
        self.0.is_tag(&[link.text().as_bytes()], &tag)
    }
}

impl FileLink {
    fn text(&self) -> String {
        format!("{}|{}|{}", self.file, self.expires, self.epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_good_for_one_file_time_epoch_and_tenant_only() {
        let id = |digit: char| format!("fil_{}", digit.to_string().repeat(26)).parse().unwrap();
        let (root, andina) = (Secret::new([7; 32]), "andina".parse().unwrap());
        let links = FileLinks::of(&root, &andina);
        let link = FileLink { file: id('1'), expires: 100, epoch: 1 };
        let signature = links.sign(link);
        assert!(links.is_signed(link, &signature));
        for other in [
            FileLink { file: id('2'), ..link },
            FileLink { expires: 101, ..link },
            FileLink { epoch: 2, ..link },
        ] {
            assert!(!links.is_signed(other, &signature));
        }
        let verde = FileLinks::of(&root, &"verde".parse().unwrap());
        let elsewhere = FileLinks::of(&Secret::new([8; 32]), &andina);
        assert!(!verde.is_signed(link, &signature) && !elsewhere.is_signed(link, &signature));
        for broken in ["", "x", &signature[1..], &format!("{signature}A"), &signature.to_uppercase()] {
            assert!(!links.is_signed(link, broken), "{broken}");
        }
    }
}
