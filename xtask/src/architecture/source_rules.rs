//! What the source may say, and which folders are alike.

/// Text that may stand in some files only.
#[derive(Debug)]
pub(crate) struct Phrase {
    pub(crate) text: &'static str,
    /// Folders or files the rule speaks about.
    pub(crate) within: &'static [&'static str],
    /// Files in them where the text is right.
    pub(crate) except: &'static [&'static str],
    pub(crate) reason: &'static str,
}

/// Folders that do the same for different things.
#[derive(Debug)]
pub(crate) struct Anatomy {
    /// Where they are.
    pub(crate) within: &'static str,
    /// Folders beside them that do something else.
    pub(crate) except: &'static [&'static str],
    /// The files that each of them has: all of these, and no others.
    pub(crate) files: &'static [&'static str],
    pub(crate) reason: &'static str,
}

pub(crate) const PHRASES: &[Phrase] = &[
    Phrase {
        text: "SystemTime::now",
        within: &["crates/"],
        except: &["crates/portcullis-core/src/clock.rs"],
        reason: "time comes in through a Clock, so that tests choose it",
    },
    Phrase {
        text: "spawn",
        within: &["crates/portcullis-core/src/"],
        except: &[],
        reason: "core starts no task and no thread",
    },
    Phrase {
        text: "tokio",
        within: &["crates/portcullis-jwks/src/machine/"],
        except: &[],
        reason: "the machine decides, and needs no runtime for it; the driver beside it has one",
    },
    Phrase {
        text: "Instant::now",
        within: &["crates/portcullis-jwks/src/machine/"],
        except: &[],
        reason: "the machine is told what time it is",
    },
    Phrase {
        text: "Mutex",
        within: &["crates/portcullis-jwks/src/machine/"],
        except: &[],
        reason: "the machine has no lock: the driver keeps it behind one",
    },
    Phrase {
        text: "async",
        within: &["crates/portcullis-jwks/src/machine/"],
        except: &[],
        reason: "the machine awaits nothing",
    },
    Phrase {
        text: "driver",
        within: &["crates/portcullis-jwks/src/machine/"],
        except: &[],
        reason: "the machine does not know what drives it",
    },
    Phrase {
        text: "portcullis_test",
        within: &[
            "crates/portcullis-core/src/",
            "crates/portcullis/src/",
            "crates/portcullis-jwks/src/",
            "crates/portcullis-issuer/src/",
            "crates/portcullis-store/src/",
            "crates/portcullis-nats/src/",
            "crates/portcullis-nats-client/src/",
            "crates/portcullis-cli/src/",
        ],
        except: &[],
        reason: "the test kit is used from tests/ folders; inside src/ it would meet a second copy of the crate",
    },
    Phrase {
        text: "SigningKey",
        within: &["crates/portcullis-issuer/src/api_tokens/"],
        except: &[],
        reason: "a service that only checks API tokens has no signing key",
    },
    Phrase {
        text: "Signer",
        within: &["crates/portcullis-issuer/src/api_tokens/"],
        except: &[],
        reason: "a service that only checks API tokens signs nothing",
    },
    Phrase {
        text: "mint",
        within: &["crates/portcullis-issuer/src/api_tokens/"],
        except: &[],
        reason: "API tokens are opaque: they are made and checked without minting",
    },
    Phrase {
        text: "cfg(not(feature",
        within: &["crates/"],
        // the shim: with tracing or without, the rest of the crate calls the same functions
        except: &[
            "crates/portcullis/src/telemetry.rs",
            "crates/portcullis-jwks/src/telemetry.rs",
            "crates/portcullis-nats/src/telemetry.rs",
            "crates/portcullis-store/src/telemetry.rs",
        ],
        reason: "features only add: what one takes away, another crate's build would lose unasked",
    },
];

pub(crate) const ANATOMIES: &[Anatomy] = &[Anatomy {
    within: "crates/portcullis-store/src/",
    except: &["api_tokens", "floors", "records", "refresh", "replay", "revocations", "signing_keys"],
    files: &[
        "mod.rs",
        "access.rs",
        "connection.rs",
        "survey.rs",
        "layout.rs",
        "append.rs",
        "read.rs",
        "follow.rs",
        "error.rs",
    ],
    reason: "each log has the same files for the same jobs (the table in ARCHITECTURE.md), so that a reader of one finds the way in all",
}];
