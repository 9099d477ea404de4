//! Identity-Aware Proxy of Google Cloud.

use super::{Provider, Quirk};

/// Google Cloud's Identity-Aware Proxy (IAP) in front of a service.
///
/// - **The token is in the HTTP header `x-goog-iap-jwt-assertion`**, which IAP adds to each request that it lets through, without a
///   scheme. Configure the layer to read it:
///
///   ```
///   # fn main() -> Result<(), Box<dyn std::error::Error>> {
///   # let admission = portcullis_test::MockIssuer::new().admission();
///   use portcullis::{AuthLayer, location::HttpHeader};
///
///   let layer = AuthLayer::at(HttpHeader::new("x-goog-iap-jwt-assertion")?, admission);
///   # Ok(())
///   # }
///   ```
/// - `iss` is `https://cloud.google.com/iap`, for every customer of Google Cloud. The keys are fetched from
///   `https://www.gstatic.com/iap/verify/public_key-jwk`, and sign with ES256.
/// - **The audience alone says that a token is for your service**: `/projects/NUMBER/global/backendServices/ID` behind a load
///   balancer, `/projects/NUMBER/apps/PROJECT` on App Engine, `/projects/NUMBER/locations/REGION/services/NAME` on Cloud Run. The
///   numbers are the project's and the backend service's own, not their names.
/// - A person is named by `sub` (`accounts.google.com:NUMBER`) and `email`; `hd` is the organization's domain, and `google` has the
///   access levels that were met.
/// - **A service account looks like a user**: its `sub` has the same form. Name each with [`application_if("/email",
///   "ACCOUNT@PROJECT.iam.gserviceaccount.com")`](portcullis_core::TrustedIssuer::application_if): no person has an address there.
/// - There are no roles, no scopes and no logout. This issuer has no other kinds of tokens: Google's ID tokens have another issuer.
/// - Health checks of the load balancer have no token: exempt their path.
///
/// Published at [Securing your app with signed headers](https://cloud.google.com/iap/docs/signed-headers-howto).
pub fn cloud_iap() -> Provider {
    Provider::new("Cloud IAP", "https://cloud.google.com/iap".to_owned(), [Quirk::NoClient])
        .keys_at("https://www.gstatic.com/iap/verify/public_key-jwk".to_owned())
}
