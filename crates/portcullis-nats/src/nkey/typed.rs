//! Public keys of one role.

use std::{fmt, str::FromStr};

use portcullis_core::keys::VerifyingKey;

use super::{NkeyError, NkeyErrorKind, PublicKey, Role};

macro_rules! typed {
    ($(#[doc = $doc:literal])+ $name:ident, $role:ident) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(PublicKey);

        impl $name {
            /// Returns the text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }

            /// Returns the key without its role in the type.
            pub const fn public_key(&self) -> &PublicKey {
                &self.0
            }

            /// Returns the key, prepared for checking signatures. Its id is the text.
            ///
            /// # Errors
            ///
            /// None in practice: a key that cannot verify is refused when it is read.
            pub fn verifying_key(&self) -> Result<VerifyingKey, NkeyError> {
                self.0.verifying_key()
            }
        }

        impl TryFrom<PublicKey> for $name {
            type Error = NkeyError;

            fn try_from(key: PublicKey) -> Result<Self, NkeyError> {
                if key.role() == Role::$role {
                    return Ok(Self(key));
                }
                Err(NkeyErrorKind::WrongRole { expected: Role::$role, found: key.role() }.into())
            }
        }

        impl FromStr for $name {
            type Err = NkeyError;

            fn from_str(text: &str) -> Result<Self, NkeyError> {
                text.parse::<PublicKey>()?.try_into()
            }
        }

        impl From<$name> for PublicKey {
            fn from(key: $name) -> Self {
                key.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                PublicKey::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
            }
        }
    };
}

typed! {
    /// The public key of an operator, or one of its signing keys.
    OperatorKey, Operator
}

typed! {
    /// The public key of an account, which is its id; or one of its signing keys.
    AccountKey, Account
}

typed! {
    /// The public key of a user.
    UserKey, User
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nkey::KeyPair;

    #[test]
    fn a_key_is_read_as_it_is_written_and_one_of_another_role_is_not() {
        let key = UserKey::try_from(*KeyPair::generate(Role::User).unwrap().public_key()).unwrap();
        let written = serde_json::to_string(&key).unwrap();
        assert_eq!(written, format!("\"{key}\""));
        assert_eq!(serde_json::from_str::<UserKey>(&written).unwrap(), key);
        assert_eq!(serde_json::from_str::<PublicKey>(&written).unwrap(), PublicKey::from(key));
        assert!(serde_json::from_str::<AccountKey>(&written).is_err());
        assert!(serde_json::from_str::<UserKey>(&written.to_lowercase()).is_err());
    }
}
