//! Random bytes of the machine.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use misy_domain::Entropy;

/// The cryptographic random generator of AWS-LC, seeded by the operating system.
#[derive(Debug, Clone, Default)]
pub struct SystemEntropy(SystemRandom);

impl SystemEntropy {
    /// A handle to it; costs nothing.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Entropy for SystemEntropy {
    #[allow(
        clippy::expect_used,
        reason = "a machine without randomness can make no key, and going on with a predictable one would be worse than stopping"
    )]
    fn fill(&self, buffer: &mut [u8]) {
        self.0.fill(buffer).expect("the operating system gives random bytes");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_keys_are_never_the_same() {
        let entropy = SystemEntropy::new();
        assert_ne!(entropy.key(), entropy.key());
        assert_ne!(entropy.key(), [0; 32]);
    }
}
