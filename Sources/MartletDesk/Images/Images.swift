import Guard
import MartletModel
import MartletStore
import SQL

/// A picture that texts show, without its bytes.
public struct StoredImage: Equatable, Sendable {
    /// Given once.
    public var number: Int64
    /// Of `ImagePath`.
    public var name: String
    /// For people.
    public var title: String
    /// Whose it is; nil: the whole bank's.
    public var unit: Int64?
    public var head: ImageHead
    /// Bytes.
    public var size: Int
    /// SHA-256 of them.
    public var hash: [UInt8]
    /// Who uploaded it.
    public var owner: String
    /// Wall milliseconds.
    public var createdAt: Int64
    public var deletedAt: Int64?
    /// Names of the objects that show it, by their newest version or in the newest release.
    public var users: [String] = []

    public var path: String { ImagePath.prefix + name }

    /// In the order of `ImageStatements.columns`.
    var values: [SQLValue] {
        [
            .integer(number), .text(name), .text(title), .number(unit), .number(head.kind.rawValue), .number(head.width),
            .number(head.height), .number(size), .bytes(hash), .text(owner), .integer(createdAt), .number(deletedAt),
        ]
    }
}

extension StoredImage {
    init(_ row: SQLRow, _ seal: RowSeal) throws {
        number = try row.integer("number")
        try seal.check(row, String(number))
        guard let kind = ImageKind(rawValue: try row.integer("kind", as: UInt8.self)) else {
            throw DeskFault.broken("image \(number) is of a kind that this version does not know; install the newer one")
        }
        name = try row.text("name")
        title = try row.text("title")
        unit = try row.optionalInteger("unit")
        head = ImageHead(kind: kind, width: try row.integer("width", as: Int.self), height: try row.integer("height", as: Int.self))
        size = try row.integer("size", as: Int.self)
        hash = try row.bytes("hash")
        owner = try row.text("owner")
        createdAt = try row.integer("created_at")
        deletedAt = try row.optionalInteger("deleted_at")
    }
}

/// Pictures: uploaded, listed, deleted while nobody uses them; and served to whoever knows their names.
public struct Images: Sendable {
    /// Of the installation.
    public static let most = 1000

    let rulebooks: Rulebooks
    private let names: ImageNames
    private let cache = ImageCache()
    private var units: Units { rulebooks.units }
    private var desk: Desk { rulebooks.desk }
    private var seal: RowSeal { rulebooks.imageSeal }

    public init(_ rulebooks: Rulebooks) {
        self.rulebooks = rulebooks
        names = ImageNames(rulebooks.units.rowKey)
    }

    /// - Parameter type: the media type that it was sent with; nil: none.
    /// - Throws: `.invalid`: it is no picture that is taken, with the limit that it does not keep.
    public func add(
        _ bytes: [UInt8], title: String, unit wished: Int64?, type: String? = nil, by caller: Caller
    ) async throws(DeskFault) -> StoredImage {
        try caller.require(.writeRulebook)
        var checks = FieldChecks()
        checks.text("title", title, 1...120)
        var head: ImageHead?
        do throws(FieldFault) {
            let read = try ImageHead(reading: bytes)
            if let type, type.hasPrefix("image/"), type != read.kind.mediaType {
                checks.add("Content-Type", "unknown", "it is \(read.kind.mediaType), and was sent as something else")
            }
            head = read
        } catch {
            checks.add(error.path, error.code, error.message)
        }
        try checks.finish()
        guard let head else { throw .broken("a picture without a head was taken") }
        return try await desk.act(.writeRulebook, by: caller) { session in
            try session.run(StoreStatements.lockAudit)
            let visibility = try units.visibility(of: caller, session)
            let unit = wished ?? caller.unit
            try visibility.requireChange(unit)
            try units.require(unit, session)
            guard try rulebooks.images(session).count < Images.most else {
                throw DeskFault.conflict(field: "image", reason: "\(Images.most) pictures are the most; delete some that nobody uses")
            }
            let number = (try session.row(ImageStatements.newest)?.optionalInteger("number") ?? 0) + 1
            let image = StoredImage(
                number: number, name: names.make(), title: title, unit: unit, head: head, size: bytes.count,
                hash: BodyDigest.sha256(bytes), owner: caller.name, createdAt: desk.nowMilliseconds)
            try session.run(ImageStatements.add, image.values + [seal.tag(image.values), .bytes(bytes)])
            return (image, AuditTrail.Line(act: .imageAdded, object: "image/\(number)"))
        }
    }

    public func list(_ wish: PageWish, by caller: Caller) async throws(DeskFault) -> Page<StoredImage> {
        let after = try wish.after?.number() ?? 0
        return try await desk.read(.readRulebook, by: caller) { session in
            let visibility = try units.visibility(of: caller, session)
            var page = try units.visible(wish, after: after, { visibility.sees($0.unit) }, number: \.number) { after, limit in
                try session.rows(ImageStatements.kept, [.integer(after), .number(limit)]).map { try StoredImage($0, seal) }
            }
            let users = try rulebooks.usersOfImages(session)
            for index in page.items.indices { page.items[index].users = users[page.items[index].name] ?? [] }
            return page
        }
    }

    public func get(_ number: Int64, by caller: Caller) async throws(DeskFault) -> StoredImage {
        try await desk.read(.readRulebook, by: caller) { session in
            var image = try find(number, try units.visibility(of: caller, session), session)
            image.users = try rulebooks.usersOfImages(session)[image.name] ?? []
            return image
        }
    }

    /// - Throws: `.conflict` with the names of those that show it.
    public func delete(_ number: Int64, by caller: Caller) async throws(DeskFault) {
        let name = try await desk.act(.writeRulebook, by: caller) { session in
            try session.run(StoreStatements.lockAudit)
            let visibility = try units.visibility(of: caller, session)
            var image = try find(number, visibility, session)
            try visibility.requireChange(image.unit)
            let users = try rulebooks.usersOfImages(session)[image.name] ?? []
            guard users.isEmpty else {
                throw DeskFault.conflict(field: "image", reason: "it is used by \(users.prefix(20).joined(separator: ", "))")
            }
            image.deletedAt = desk.nowMilliseconds
            try session.run(
                ImageStatements.delete, [.integer(number), .number(image.deletedAt), seal.tag(image.values), .bytes([UInt8]())])
            return (image.name, AuditTrail.Line(act: .imageDeleted, object: "image/\(number)"))
        }
        cache.forget(name)
    }

    /// The bytes of a picture, for everybody.
    /// - Throws: `.notFound`, also for names that are none; those cost no look into the store.
    func content(_ name: String) async throws(DeskFault) -> (kind: ImageKind, bytes: [UInt8]) {
        let missing = DeskFault.notFound(noun: "picture", key: "of this name")
        guard names.hold(name) else { throw missing }
        if let known = cache.content(name) { return known }
        let found = try await desk.read(.readRulebook, by: .system("images")) { session -> (kind: ImageKind, bytes: [UInt8])? in
            guard let row = try session.row(ImageStatements.named, [.text(name)]) else { return nil }
            let image = try StoredImage(row, seal)
            guard image.deletedAt == nil else { return nil }
            let bytes = try row.bytes("content")
            guard BodyDigest.sha256(bytes) == image.hash else { throw DeskFault.tampered(noun: "image", key: String(image.number)) }
            return (image.head.kind, bytes)
        }
        guard let found else { throw missing }
        cache.keep(name, found)
        return found
    }

    private func find(_ number: Int64, _ visibility: Visibility, _ session: SQLSession) throws -> StoredImage {
        let missing = DeskFault.notFound(noun: "image", key: String(number))
        guard let row = try session.row(ImageStatements.one, [.integer(number)]) else { throw missing }
        let image = try StoredImage(row, seal)
        guard image.deletedAt == nil, visibility.sees(image.unit) else { throw missing }
        return image
    }
}

extension ImageHead {
    init(kind: ImageKind, width: Int, height: Int) { (self.kind, self.width, self.height) = (kind, width, height) }
}

extension Rulebooks {
    /// Names of the pictures that there are.
    func images(_ session: SQLSession) throws -> Set<String> {
        Set(
            try session.rows(ImageStatements.kept, [.integer(0), .number(Images.most + 1)])
                .map { try StoredImage($0, imageSeal).name })
    }

    /// By the picture's name, who shows it: newest versions, and what is in the newest release.
    func usersOfImages(_ session: SQLSession) throws -> [String: [String]] {
        let kinds: Set<RulebookKind> = [.template, .override]
        var users: [String: Set<String>] = [:]
        for entry in try entries(session) where kinds.contains(entry.kind) && entry.retiredAt == nil {
            for name in try newest(entry, session).content.images { users[name, default: []].insert(entry.path) }
        }
        for part in try newestRelease(session).map({ try parts($0, session) }) ?? [] where kinds.contains(part.object.kind) {
            for name in part.object.content.images { users[name, default: []].insert(part.object.name) }
        }
        return users.mapValues { $0.sorted() }
    }
}

extension JSONValue {
    /// Names of the uploaded pictures that a text in it shows.
    fileprivate var images: [String] {
        switch self {
        case .text(let text): ImagePath.name(of: text).map { [$0] } ?? []
        case .list(let list): list.flatMap(\.images)
        case .object(let fields): fields.values.flatMap(\.images)
        case .null, .flag, .integer: []
        }
    }
}
