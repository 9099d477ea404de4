//! Holds nothing but documents whose examples are compiled: the tests are in `tests/`.

#[cfg(doctest)]
#[doc = include_str!("../../examples/external-idp/README.md")]
mod external_idp {}

#[cfg(doctest)]
#[doc = include_str!("../../examples/decentralized/README.md")]
mod decentralized {}

#[cfg(doctest)]
#[doc = include_str!("../../docs/authorization-server.md")]
mod authorization_server {}

#[cfg(doctest)]
#[doc = include_str!("../../docs/api-tokens.md")]
mod api_tokens {}

#[cfg(doctest)]
#[doc = include_str!("../../docs/nats.md")]
mod nats {}
