import MartletModel

/// The rulebook as the admin API shows it.
struct RulebookDocument: Codable, APIExplained {
    /// How an override stands to its template.
    struct Drift: Codable, APIExplained {
        var template: String
        var basedOn: Int64
        var newest: Int64
        var languages: [String]
        var changes: [ChangeDocument]
        var words: String

        static let explained = [
            "basedOn": APIField("Version of the template that it was written over."),
            "newest": APIField("Version that the template is at."),
            "languages": APIField("In which its texts are others than those of that version."),
            "changes": APIField("What the template became since."), "words": APIField("The same for a person."),
        ]

        init(_ drift: OverrideDrift) {
            (template, basedOn, newest, languages) = (drift.template, drift.basedOn, drift.newest, drift.languages)
            (changes, words) = (drift.changes.map(ChangeDocument.init), drift.words)
        }
    }

    var kind: String
    var key: String
    var version: Int64
    var name: String
    var description: String
    var unit: Int64?
    var owner: String
    /// Numbers of the newest content, and of the one in the newest release.
    var newest: Int64
    var published: Int64?
    var createdAt: String
    var changedAt: String
    var retiredAt: String?
    var drift: Drift?

    static let explained = [
        "drift": APIField("Of an override that is looked at alone: how it stands to its template."),
        "retiredAt": APIField("Its use ended then: publishing everything takes it out."),
    ]

    init(_ entry: RulebookEntry) {
        drift = entry.drift.map { Drift($0) }
        (kind, key, version, name) = (entry.kind.rawValue, entry.key, entry.version, entry.name)
        (description, unit, owner) = (entry.description, entry.unit, entry.owner)
        (newest, published) = (entry.newest, entry.published)
        (createdAt, changedAt) = (timestamp(entry.createdAt * 1000), timestamp(entry.changedAt * 1000))
        retiredAt = entry.retiredAt.map { timestamp($0 * 1000) }
    }
}

struct VersionDocument: Codable, APIExplained {
    /// Whether somebody else than its author agreed to a text.
    struct Approval: Codable, APIExplained {
        var state: String
        var submittedBy: String?
        var submittedAt: String?
        var approvedBy: String?
        var approvedAt: String?

        static let explained = ["state": APIField(words: TextApproval.State.allCases.map(\.rawValue))]

        init(_ approval: TextApproval?) {
            state = (approval?.state ?? .draft).rawValue
            (submittedBy, approvedBy) = (approval?.submittedBy, approval?.approvedBy)
            submittedAt = approval.map { timestamp($0.submittedAt * 1000) }
            approvedAt = approval?.approvedAt.map { timestamp($0 * 1000) }
        }
    }

    var number: Int64
    var state: String
    var author: String
    var at: String
    var note: String
    var hash: String
    var content: JSONValue?
    var approval: Approval?

    static let explained = ["approval": APIField("Of templates, partials and overrides: whether somebody else than the author agreed.")]

    init(_ version: RulebookVersion, of kind: RulebookKind) {
        approval = kind.isText ? Approval(version.approval) : nil
        (number, state, author) = (version.number, version.state.rawValue, version.author)
        (at, note, hash) = (timestamp(version.at * 1000), version.note, RulebookFile.hex(version.hash))
        content = version.content
    }
}

struct ReleaseDocument: Codable {
    var number: Int64
    var at: String
    var author: String
    var note: String
    var restores: Int64?
    var hash: String

    init(_ release: RulebookRelease) {
        (number, at, author, note) = (release.number, timestamp(release.at * 1000), release.author, release.note)
        (restores, hash) = (release.restores, RulebookFile.hex(release.hash))
    }
}

struct DifferenceDocument: Codable {
    var kind: String
    var key: String
    var before: Int64?
    var after: Int64?
    var changes: [ChangeDocument]

    init(_ difference: RulebookDifference) {
        (kind, key, before, after) = (difference.kind.rawValue, difference.key, difference.before, difference.after)
        changes = difference.changes.map(ChangeDocument.init)
    }
}

struct ChangeDocument: Codable {
    /// JSON path (RFC 9535).
    var path: String
    var before: JSONValue?
    var after: JSONValue?

    init(_ change: JSONChange) { (path, before, after) = (change.place, change.before, change.after) }
}

struct FindingDocument: Codable {
    var path: String
    var severity: String
    var message: String
    var remedy: String

    init(_ finding: RulebookFinding) {
        (path, severity, message, remedy) = (finding.path, finding.severity.rawValue, finding.message, finding.remedy)
    }
}
