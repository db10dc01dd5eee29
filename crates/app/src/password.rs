//! Password hashes (Argon2id in PHC form) and passwords that peyk makes up.
//!
//! Not here: when a hash is computed and how often (`login`). Computing one takes about 20 ms of a
//! core, so it never runs on a thread that serves requests.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use thiserror::Error;

/// Longest password, in bytes; a longer one is wrong without being looked at.
pub const PASSWORD_BYTES_MAX: usize = 1_024;
/// Memory of a hash, in KiB. Of the settings for Argon2id that OWASP holds for equally strong this is
/// the one with the least memory: allocators keep what a hash used, and an idle peyk is to be small.
pub const MEMORY_KIB: u32 = 7_168;
/// Passes over the memory.
pub const PASSES: u32 = 5;
/// Lanes that could be filled at the same time.
pub const LANES: u32 = 1;

/// Characters of made-up passwords: 32 that nobody confuses on paper, so each carries 5 bits.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Groups of a made-up password, parted by dashes.
const GROUPS: usize = 4;
/// Characters of a group: 80 bits in all.
const GROUP_CHARS: usize = 4;

/// What an unknown user's password is compared with: same parameters, so same time. The octets are
/// arbitrary, and the answer is not used.
pub(crate) const DUMMY_HASH: &str = "$argon2id$v=19$m=7168,t=5,p=1$cGV5ay1kdW1teS1zYWx0IQ$dGhpcyBoYXNoIGJlbG9uZ3MgdG8gbm8gcGFzc3dvcmQ";

/// A password could not be hashed or made up; told to the person who asked.
#[derive(Debug, Error)]
pub enum PasswordError {
    /// The empty password would be one that everybody knows.
    #[error("the password is empty")]
    Empty,
    /// Longer than [`PASSWORD_BYTES_MAX`].
    #[error("the password is longer than {PASSWORD_BYTES_MAX} bytes")]
    TooLong,
    /// The library or the system's random numbers failed.
    #[error("the password cannot be hashed: {0}")]
    Failed(String),
}

/// Hashes a password with a new salt. Blocks for about 20 ms.
///
/// # Errors
/// See [`PasswordError`].
pub fn hash(password: &str) -> Result<String, PasswordError> {
    hash_with(password, MEMORY_KIB, PASSES)
}

pub(crate) fn hash_with(
    password: &str,
    memory_kib: u32,
    passes: u32,
) -> Result<String, PasswordError> {
    if password.is_empty() {
        return Err(PasswordError::Empty);
    }
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(PasswordError::TooLong);
    }
    let params = Params::new(memory_kib, passes, LANES, None)
        .map_err(|error| PasswordError::Failed(error.to_string()))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash: PasswordHash = argon2
        .hash_password(password.as_bytes())
        .map_err(|error| PasswordError::Failed(error.to_string()))?;
    Ok(hash.to_string())
}

/// Whether the password has this hash; the parameters are the hash's own. Blocks for about 20 ms.
/// A hash that cannot be read fits no password.
#[must_use]
pub(crate) fn verify(password: &str, phc: &str) -> bool {
    let Ok(hash) = PasswordHash::new(phc) else {
        tracing::error!("a stored password hash cannot be read; its account cannot log in");
        return false;
    };
    Argon2::default()
        .verify_password(password.as_bytes(), &hash)
        .is_ok()
}

/// Makes up a password such as `k7wm-2hfd-xq9t-bn4c`: 80 random bits.
///
/// # Errors
/// The system gives no random numbers.
pub fn generate() -> Result<String, PasswordError> {
    let random = letters(GROUPS * GROUP_CHARS)?;
    let mut password = String::with_capacity(GROUPS * (GROUP_CHARS + 1));
    for (place, letter) in random.chars().enumerate() {
        if place > 0 && place % GROUP_CHARS == 0 {
            password.push('-');
        }
        password.push(letter);
    }
    Ok(password)
}

/// Random letters and digits that nobody confuses on paper; each carries 5 bits.
///
/// # Errors
/// The system gives no random numbers.
pub(crate) fn letters(count: usize) -> Result<String, PasswordError> {
    let mut random = vec![0; count];
    getrandom::fill(&mut random).map_err(|error| PasswordError::Failed(error.to_string()))?;
    // 256 is a multiple of 32, so every character is as likely as the others.
    let letter = |byte: u8| char::from(ALPHABET[usize::from(byte % 32)]);
    Ok(random.into_iter().map(letter).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_fits_its_password_only() {
        let phc = hash_with("rāz-۱۲۳", 8, 1).unwrap();
        assert!(verify("rāz-۱۲۳", &phc));
        assert!(!verify("rāz-۱۲۴", &phc));
        assert!(!verify("", &phc) && !verify("x", "no hash") && !verify("x", ""));
        assert_ne!(phc, hash_with("rāz-۱۲۳", 8, 1).unwrap());
    }

    #[test]
    fn unknown_users_are_compared_with_a_hash_of_the_same_parameters() {
        let known = hash("password").unwrap();
        assert!(known.starts_with("$argon2id$v=19$m=7168,t=5,p=1$"));
        let (known, dummy) = (
            PasswordHash::new(&known).unwrap(),
            PasswordHash::new(DUMMY_HASH),
        );
        let dummy = dummy.unwrap();
        assert_eq!(known.params, dummy.params);
        assert_eq!(
            known.hash.map(|hash| hash.len()),
            dummy.hash.map(|hash| hash.len())
        );
        assert_eq!(
            known.salt.map(|salt| salt.len()),
            dummy.salt.map(|salt| salt.len())
        );
    }

    #[test]
    fn no_password_and_one_beyond_the_limit_are_refused() {
        assert!(matches!(hash(""), Err(PasswordError::Empty)));
        assert!(matches!(
            hash(&"x".repeat(1_025)),
            Err(PasswordError::TooLong)
        ));
    }

    #[test]
    fn made_up_passwords_are_readable_and_differ() {
        let (one, other) = (generate().unwrap(), generate().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), 19);
        assert!(one.bytes().all(|b| b == b'-' || ALPHABET.contains(&b)));
    }
}
