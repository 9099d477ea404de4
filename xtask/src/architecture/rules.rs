//! What crates may depend on. A crate without a row here does not pass: who adds one says where it stands.

/// What one of our crates may and may not do.
#[derive(Debug)]
pub(crate) struct CrateRule {
    pub(crate) name: &'static str,
    /// Our crates that it may depend on.
    pub(crate) uses: &'static [&'static str],
    /// Our crates that it may depend on behind a cargo feature.
    pub(crate) uses_by_feature: &'static [&'static str],
    /// Packages that must not appear anywhere below it, whatever its features.
    pub(crate) never: &'static [Never],
    /// The largest number of packages in its default tree, itself included.
    pub(crate) most_packages: Option<usize>,
}

/// Packages that a crate must never bring along.
#[derive(Debug)]
pub(crate) struct Never {
    pub(crate) packages: &'static [&'static str],
    /// The one crate below which they are allowed.
    pub(crate) unless_under: Option<&'static str>,
    pub(crate) reason: &'static str,
}

/// Our test kit holds fixed keys, so no build that ships may contain it.
pub(crate) const TEST_KIT: &str = "portcullis-test";

pub(crate) const RULES: &[CrateRule] = &[
    CrateRule {
        name: "portcullis-core",
        uses: &[],
        uses_by_feature: &[],
        never: &[
            Never {
                packages: RUNTIMES,
                unless_under: None,
                reason: "core decides from its arguments; waiting is the caller's",
            },
            Never {
                packages: &["http", "http-body", "axum-core", "tower-layer", "tower-service"],
                unless_under: None,
                reason: "core knows tokens, not requests",
            },
            NO_FRAMEWORK,
            Never {
                packages: HTTP_CLIENTS,
                unless_under: None,
                reason: "keys come in through KeySource; fetching them is another crate's job",
            },
            NO_DATABASE,
        ],
        most_packages: Some(45),
    },
    CrateRule {
        name: "portcullis-jwks",
        uses: &["portcullis-core"],
        uses_by_feature: &[],
        never: &[NO_FRAMEWORK, NO_DATABASE],
        most_packages: None,
    },
    CrateRule {
        name: "portcullis",
        uses: &["portcullis-core"],
        uses_by_feature: &["portcullis-jwks"],
        never: &[NO_FRAMEWORK, HTTP_CLIENT_UNDER_JWKS, NO_DATABASE],
        most_packages: Some(65),
    },
    CrateRule {
        name: "portcullis-issuer",
        uses: &["portcullis-core"],
        // its `Fetch`, for what clients publish about themselves, and for telling them of log-outs
        uses_by_feature: &["portcullis-jwks"],
        never: &[HTTP_CLIENT_UNDER_JWKS, NO_DATABASE],
        most_packages: None,
    },
    CrateRule {
        name: "portcullis-store",
        uses: &["portcullis-core"],
        uses_by_feature: &["portcullis-issuer"],
        never: &[NO_FRAMEWORK],
        most_packages: None,
    },
    CrateRule {
        name: "portcullis-nats",
        uses: &["portcullis-core"],
        // its `Fetch`, for accounts from an account server
        uses_by_feature: &["portcullis-jwks"],
        never: &[NO_FRAMEWORK, HTTP_CLIENT_UNDER_JWKS],
        most_packages: None,
    },
    CrateRule {
        name: "portcullis-nats-client",
        // whose keys and tokens it signs with; not its chain
        uses: &["portcullis-core", "portcullis-nats"],
        uses_by_feature: &[],
        never: &[
            Never { packages: RUNTIMES, unless_under: None, reason: "it waits for nothing but its caller's client" },
            NO_FRAMEWORK,
            Never { packages: HTTP_CLIENTS, unless_under: None, reason: "it signs for every client, and is none" },
            NO_DATABASE,
        ],
        most_packages: Some(60),
    },
    CrateRule {
        name: TEST_KIT,
        uses: &["portcullis-core"],
        // its scripted identity provider answers what the one asks, and its contracts are about traits of the others
        uses_by_feature: &["portcullis-issuer", "portcullis-jwks", "portcullis-nats"],
        never: &[],
        most_packages: None,
    },
    CrateRule {
        name: "portcullis-cli",
        uses: &[
            "portcullis-core",
            "portcullis",
            "portcullis-jwks",
            "portcullis-issuer",
            "portcullis-store",
            "portcullis-nats",
            "portcullis-nats-client",
        ],
        uses_by_feature: &[],
        never: &[],
        most_packages: None,
    },
];

const NO_FRAMEWORK: Never = Never {
    packages: &["axum", "tower", "tower-http", "actix-web", "tonic"],
    // it is built of tower inside, and shows nothing of it
    unless_under: Some("reqwest"),
    reason: "frameworks follow another release pace; the small -core, -layer and -service crates are the interface",
};

const HTTP_CLIENT_UNDER_JWKS: Never = Never {
    packages: HTTP_CLIENTS,
    unless_under: Some("portcullis-jwks"),
    reason: "one crate talks to the network, so that one crate holds its limits",
};

const NO_DATABASE: Never = Never {
    packages: DATABASE_CLIENTS,
    unless_under: Some("portcullis-store"),
    reason: "state that outlives the process lives in portcullis-store",
};

const RUNTIMES: &[&str] = &["tokio", "async-std", "smol", "async-executor", "async-global-executor", "rayon"];

/// hyper can serve too, but a crate that depends on it can also send requests.
const HTTP_CLIENTS: &[&str] =
    &["hyper", "hyper-util", "reqwest", "ureq", "isahc", "curl", "attohttpc", "minreq", "surf", "awc"];

const DATABASE_CLIENTS: &[&str] = &[
    "redb",
    "redis",
    "fred",
    "async-nats",
    "tokio-postgres",
    "postgres",
    "sqlx",
    "diesel",
    "rusqlite",
    "sled",
    "fjall",
];
