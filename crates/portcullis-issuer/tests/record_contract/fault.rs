//! [`Fault`]: what is wrong with a store of records.

crate::planted::faults! {
    /// A record that does not exist can be changed.
    ChangesNothing,
    /// One that does not exist cannot be expected not to exist.
    DeletesNothingNever,
    /// Several callers create a record.
    CreatesTwice,
    /// The version is not compared.
    IgnoresVersion,
    /// The version is not compared if the record is deleted.
    IgnoresVersionOfDelete,
    /// The version is compared, and then the record is written, with a turn for others in between.
    NotAtomic,
    /// The same if the record is deleted.
    DeleteNotAtomic,
    /// A conflict is reported, and the change is stored.
    StoresConflicts,
    /// A conflict is reported as a success.
    HidesConflicts,
    /// A change is reported as a conflict.
    AlwaysConflicts,
    /// What was deleted can be changed by its last version.
    BringsBack,
    /// What was deleted stays.
    KeepsDeleted,
    /// The versions of each record begin again after it was deleted.
    CountsAgain,
    /// The version follows from the text alone.
    VersionOfText,
    /// All records have the same version.
    OneVersion,
    /// White space at the ends is lost.
    Trims,
    /// A text ends at the first NUL.
    EndsAtNul,
    /// A long text is cut off.
    Cuts,
    /// A text that is too long is stored.
    AnyLength,
    /// A text that is too long is cut off.
    CutsTooLong,
    /// A text that is too long is an error, and stored.
    StoresTooLong,
    /// The end is not stored.
    ForgetsEnd,
    /// The end is rounded to seconds.
    RoundsEnd,
    /// A change does not change the end.
    KeepsEnd,
    /// A record that has ended is found.
    FindsEnded,
    /// A record that has ended is listed.
    ListsEnded,
    /// A record that has ended is in the way of a new one.
    EndedInTheWay,
    /// A record that has ended can be changed.
    ChangesEnded,
    /// A record that has ended can be deleted.
    DeletesEnded,
    /// A record that is over when it is written never ends.
    PastNeverEnds,
    /// Records are forgotten that end later.
    ForgetsLive,
    /// Records are forgotten that never end.
    ForgetsEndless,
    /// Records are forgotten that ended after the instant that was given.
    ForgetsTooMuch,
    /// What was forgotten before is counted again.
    CountsForgotten,
    /// A record that was prolonged is forgotten at its first end.
    ForgetsProlonged,
    /// A group lists those whose name begins with its own.
    ListsPrefix,
    /// A group lists those of other kinds.
    ListsKinds,
    /// A group lacks one of its records.
    ListsFewer,
    /// A group lists a record twice.
    ListsTwice,
    /// A listed record has another version.
    ListsOtherVersion,
    /// Group and id are put together with a slash.
    JoinsBySlash,
    /// Group and id are put together.
    Joins,
    /// Upper and lower case are the same.
    IgnoresCase,
    /// Spaces around names are lost.
    TrimsNames,
    /// Long names are cut off.
    CutsNames,
    /// Letters are composed.
    Composes,
    /// An instance sees what it has read first.
    Caches,
    /// The last change is lost in a crash.
    ForgetsInACrash,
    /// What was deleted last comes back in a crash.
    BringsBackInACrash,
    /// A store that cannot be reached seems to have no record.
    NoneIfUnreachable,
    /// A store that cannot be reached seems to have no group.
    EmptyIfUnreachable,
    /// A store that cannot be reached seems to have another version.
    ConflictIfUnreachable,
    /// A store that cannot be reached seems to have changed a record.
    StoredIfUnreachable,
    /// The records are gone after an outage.
    ForgetsInAnOutage,
    /// A row that cannot be read seems to be absent.
    NoneIfUnreadable,
    /// A group leaves out the row that cannot be read.
    LeavesOutUnreadable,
    /// A row that cannot be read is replaced.
    ReplacesUnreadable,
    /// A row that cannot be read is a conflict.
    ConflictIfUnreadable,
    /// A row that cannot be read is forgotten.
    ForgetsUnreadable,
}
