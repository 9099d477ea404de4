//! [`Fault`]: what is wrong with a store of API tokens.

crate::planted::faults! {
    /// A second token of the same id takes the place of the first.
    SameId,
    /// Two tokens have the same digest.
    SameDigest,
    /// A token that is there already counts as new.
    ExistsIsNew,
    /// Whether an id is free is known before the row is written, with a turn for others in between.
    InsertsNotAtomic,
    /// A refused token is found by its digest.
    FindsRefused,
    /// The version is not compared.
    IgnoresVersion,
    /// A later version passes.
    TakesLaterVersion,
    /// The version is compared, and then the row is written, with a turn for others in between.
    NotAtomic,
    /// A token that does not exist can be changed.
    ChangesNothing,
    /// A change that was refused is stored.
    StoresConflicts,
    /// A conflict is reported as a success.
    HidesConflicts,
    /// A change is reported as a conflict.
    AlwaysConflicts,
    /// A token can get another owner.
    MovesOwner,
    /// A token can get another path.
    MovesPath,
    /// A change writes the last use of the caller.
    ReplacesUse,
    /// A change that is made after a use takes it away.
    ForgetsUse,
    /// The digest of another token can be taken.
    TakesDigest,
    /// A digest that was replaced still finds the token.
    KeepsOldDigest,
    /// A change does not change the digest.
    KeepsDigest,
    /// The change is stored although its successor is refused.
    ChangesWithoutSuccessor,
    /// The successor is added although the change is refused.
    AddsWithoutChange,
    /// A successor is not added.
    ForgetsSuccessor,
    /// A successor takes the place of a token of its id.
    SuccessorReplaces,
    /// A successor may have a digest that is taken.
    SuccessorSharesDigest,
    /// Successor and change are written one after the other.
    SuccessorLater,
    /// Ancestors are read one after the other.
    AncestorsLater,
    /// Ancestors come in the order of their ids.
    SortsAncestors,
    /// Ancestors of ancestors are among them.
    AncestorsOfAncestors,
    /// A token is found without ancestors.
    NoAncestors,
    /// A token without one of its ancestors is not found.
    NeedsAncestors,
    /// Ancestors are as they were when the token was made.
    OldAncestors,
    /// A name is without white space at its ends.
    Trims,
    /// A text ends at the first NUL.
    EndsAtNul,
    /// A long name is cut off.
    Cuts,
    /// Texts are composed.
    Composes,
    /// What is too much is kept.
    AnyRow,
    /// A use that is too much is recorded.
    AnyUse,
    /// A version has 53 bits.
    VersionOf53Bits,
    /// The times are in seconds.
    RoundsTimes,
    /// The owner's kind is not told apart.
    IgnoresKind,
    /// Upper and lower case of owners are the same.
    IgnoresCase,
    /// The owner's tokens are those whose owner begins like this.
    ListsPrefix,
    /// A list is in the order in which tokens were added.
    ListsByAge,
    /// A list lacks the last one.
    ListsFewer,
    /// A list has what is at the cursor.
    ListsCursor,
    /// The cursor counts.
    CursorCounts,
    /// The cursor has to be a token.
    CursorIsToken,
    /// A page has more than was asked for.
    LongPages,
    /// A list has one page.
    OnePage,
    /// A list is without tokens that are revoked.
    ListsLive,
    /// The tokens of all owners with this id are counted.
    CountsEveryKind,
    /// Revoked tokens count as live.
    CountsRevoked,
    /// Tokens that are over by their time count as live.
    CountsEnded,
    /// A token counts as live at the instant at which it ends.
    CountsAtEnd,
    /// The overlap with a successor does not end a token.
    CountsWithoutOverlap,
    /// Superseded tokens do not count as live.
    CountsNoSuperseded,
    /// Derived tokens do not count as live.
    CountsNoDerived,
    /// Tokens that end some day do not count as live.
    CountsEndless,
    /// A row that cannot be read does not count as live.
    CountsReadable,
    /// Only direct children are listed.
    ListsChildren,
    /// Only those of the first ancestor are listed.
    ListsOfRoot,
    /// Ends are those of the time until which a token is valid.
    EndsWithoutOverlap,
    /// The end of a token is that at which it was made.
    EndStays,
    /// A search for ends leaves out the first instant.
    EndsAfterStart,
    /// A search for ends has those at the last instant.
    EndsAtLast,
    /// Those that end at the instant of the cursor are left out.
    EndsSkipSame,
    /// A revoked token does not end.
    RevokedNeverEnds,
    /// What is over at the instant itself is forgotten.
    ForgetsAtInstant,
    /// What was revoked is not forgotten.
    KeepsRevoked,
    /// What is superseded is not forgotten.
    KeepsSuperseded,
    /// All that was revoked is forgotten.
    ForgetsAllRevoked,
    /// What does not end is forgotten.
    ForgetsEndless,
    /// What was derived from a forgotten token is forgotten.
    ForgetsDescendants,
    /// The digest of a forgotten token is taken for ever.
    KeepsForgottenDigest,
    /// Forgotten tokens are counted again.
    CountsForgotten,
    /// An earlier use takes the place of a later one.
    LastUseWins,
    /// The first use is kept.
    FirstUseWins,
    /// A use at the same time takes the place of the one before.
    SameUseWins,
    /// Of a batch, only the first is recorded.
    OneUse,
    /// Of a batch, a thousand are recorded.
    UsesOfAThousand,
    /// A use without a source keeps the source of the one before.
    KeepsSource,
    /// A use changes the version.
    UseIsAChange,
    /// A use makes a row.
    UseMakesRow,
    /// A token that does not exist stops the others.
    UnknownUseStops,
    /// A use of a revoked token is not recorded.
    UseOfLive,
    /// An instance sees what it has read first.
    Caches,
    /// The last change is lost in a crash.
    ForgetsInACrash,
    /// Uses are lost in a crash.
    ForgetsUsesInACrash,
    /// What was forgotten comes back in a crash.
    BringsBackInACrash,
    /// A store that cannot be reached seems to have no token.
    NoneIfUnreachable,
    /// A store that cannot be reached seems to have no lists.
    EmptyIfUnreachable,
    /// A store that cannot be reached seems to have no live token.
    NoneLiveIfUnreachable,
    /// A store that cannot be reached seems to have changed a row.
    StoredIfUnreachable,
    /// A store that cannot be reached seems to have another version.
    ConflictIfUnreachable,
    /// A store that cannot be reached seems to have recorded uses.
    UsedIfUnreachable,
    /// The tokens are gone after an outage.
    ForgetsInAnOutage,
    /// A row that cannot be read seems to be absent.
    NoneIfUnreadable,
    /// An ancestor that cannot be read seems to be absent.
    AncestorNoneIfUnreadable,
    /// A row that cannot be read is replaced.
    ReplacesUnreadable,
    /// A row that cannot be read is a conflict.
    ConflictIfUnreadable,
    /// A row that cannot be read is in the way of no new one.
    InsertsOverUnreadable,
    /// A row that cannot be read makes its lists fail.
    ListsFailIfUnreadable,
    /// A row that cannot be read is left out of lists.
    LeavesOutUnreadable,
    /// A row that cannot be read ends its lists.
    UnreadableEndsLists,
    /// A row that cannot be read stops uses.
    UnreadableStopsUses,
    /// A row that cannot be read is forgotten.
    ForgetsUnreadable,
}
