import FoundationEssentials
import Glibc
public import Guard
public import MartletModel

/// The file of sender systems under the data directory: names, rights and hashes of keys, never a key. Written beside its place, synced
/// and renamed, under a lock, so that the command line and a running node cannot overwrite each other.
public struct SourceFile: Codable, Sendable {
    public struct Entry: Codable, Sendable {
        public var number: SourceNumber
        public var name: String
        public var scopes: [String]
        public var senders: [String]
        public var classes: [String]
        public var sender: String?
        public var messageClass: String
        public var keyHashes: [String]
        /// Parts a second, parts at once, parts a day; missing: no limit.
        public var rate: Int?
        public var burst: Int?
        public var dailyQuota: Int?

        public var limits: SourceLimits { SourceLimits(rate: rate ?? 0, burst: burst ?? 0, dailyQuota: dailyQuota ?? 0) }
        /// Rules for the client certificates its keys may be used with; nil or empty: none is needed.
        public var certificates: [String]?

        /// As the doors see it; words of a newer version are left out.
        public var source: Source {
            Source(
                number: number, name: name, scopes: Set(scopes.compactMap { Source.Scope(rawValue: $0) }), senders: senders,
                classes: classes.compactMap { MessageClass(word: $0) }, defaultSender: sender,
                defaultClass: MessageClass(word: messageClass) ?? .transactional, limits: limits, certificates: certificates ?? [])
        }
    }

    public var sources: [Entry] = []

    public init() {}

    public enum Fault: Error, CustomStringConvertible, Sendable {
        case unreadable(path: String, reason: String)
        case unwritable(path: String, reason: String)
        case badName(String)
        case exists(String)
        case unknown(String)
        case badWord(field: String, word: String, allowed: String)
        case badLimit(field: String, allowed: ClosedRange<Int>)
        case full

        public var description: String {
            switch self {
            case .unreadable(let path, let reason): "the source file \(path) cannot be read: \(reason)"
            case .unwritable(let path, let reason): "the source file \(path) cannot be written: \(reason)"
            case .badName(let name): "'\(name)' is no name for a source: 1 to 64 letters, digits, '-', '_' or '.'"
            case .exists(let name): "there is a source '\(name)' already; use `martlet source key` to give it a further key"
            case .unknown(let name): "there is no source '\(name)'; `martlet source list` shows them"
            case .badWord(let field, let word, let allowed): "\(field): '\(word)' is not one of \(allowed)"
            case .badLimit(let field, let allowed): "\(field): \(allowed.lowerBound) to \(allowed.upperBound) parts; 0 is no limit"
            case .full: "65,535 sources are the most"
            }
        }
    }

    public static func path(_ dataDirectory: String) -> String { "\(dataDirectory)/sources.json" }

    /// The file as it is; empty when there is none.
    public static func load(_ dataDirectory: String) throws(Fault) -> SourceFile {
        let path = path(dataDirectory)
        guard access(path, F_OK) == 0 else { return SourceFile() }
        do {
            return try JSONDecoder().decode(SourceFile.self, from: Data(contentsOf: URL(filePath: path)))
        } catch {
            throw .unreadable(path: path, reason: "\(error)")
        }
    }

    /// Reads, changes and writes the file under its lock.
    public static func change<Result>(_ dataDirectory: String, _ body: (inout SourceFile) throws(Fault) -> Result) throws(Fault) -> Result {
        let path = path(dataDirectory)
        _ = mkdir(dataDirectory, 0o700)
        let lock = Glibc.open("\(path).lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw .unwritable(path: path, reason: String(cString: strerror(errno))) }
        defer { close(lock) }
        guard flock(lock, LOCK_EX) == 0 else { throw .unwritable(path: path, reason: String(cString: strerror(errno))) }
        var file = try load(dataDirectory)
        let result = try body(&file)
        try file.write(path)
        return result
    }

    private func write(_ path: String) throws(Fault) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        guard let bytes = try? encoder.encode(self) else { throw .unwritable(path: path, reason: "it cannot be encoded") }
        do {
            try DurableFile.write(Array(bytes), to: path)
        } catch {
            throw .unwritable(path: path, reason: error.description)
        }
    }

    /// Adds a source and its first key.
    public mutating func add(
        _ name: String, scopes: [String], senders: [String] = [], classes: [String] = [], sender: String? = nil,
        messageClass: String = MessageClass.transactional.word, limits: SourceLimits = SourceLimits(), certificates: [String] = [],
        key: APIKey.Hash?
    ) throws(Fault) -> Entry {
        let letters = name.utf8.allSatisfy { byte in
            (byte >= 48 && byte <= 57) || (byte | 32 >= 97 && byte | 32 <= 122) || byte == 45 || byte == 46 || byte == 95
        }
        guard letters, (1...64).contains(name.utf8.count) else { throw .badName(name) }
        guard !sources.contains(where: { $0.name == name }) else { throw .exists(name) }
        for scope in scopes where Source.Scope(rawValue: scope) == nil {
            throw .badWord(field: "scopes", word: scope, allowed: Source.Scope.allCases.map(\.rawValue).joined(separator: ", "))
        }
        for word in classes + [messageClass] where MessageClass(word: word) == nil {
            throw .badWord(field: "classes", word: word, allowed: MessageClass.allCases.map(\.word).joined(separator: ", "))
        }
        try SourceFile.check(limits)
        try SourceFile.check(certificates)
        let highest = sources.map(\.number).max() ?? 0
        guard highest < SourceNumber.max else { throw .full }
        var entry = Entry(
            number: highest + 1, name: name, scopes: scopes, senders: senders, classes: classes, sender: sender,
            messageClass: messageClass, keyHashes: key.map { [$0.text] } ?? [], certificates: certificates.isEmpty ? nil : certificates)
        entry.set(limits)
        sources.append(entry)
        return entry
    }

    /// Changes what a source may send; what is not given stays.
    public mutating func limit(_ name: String, rate: Int? = nil, burst: Int? = nil, dailyQuota: Int? = nil) throws(Fault) -> SourceLimits {
        guard let index = sources.firstIndex(where: { $0.name == name }) else { throw .unknown(name) }
        let before = sources[index].limits
        let limits = SourceLimits(
            rate: rate ?? before.rate, burst: burst ?? before.burst, dailyQuota: dailyQuota ?? before.dailyQuota)
        try SourceFile.check(limits)
        sources[index].set(limits)
        return limits
    }

    /// Changes sender id and class of its messages that name none; nil stays, an empty sender is none.
    public mutating func setDefaults(_ name: String, sender: String?, messageClass: String?) throws(Fault) {
        guard let index = sources.firstIndex(where: { $0.name == name }) else { throw .unknown(name) }
        if let messageClass {
            guard MessageClass(word: messageClass) != nil else {
                let words = MessageClass.allCases.map(\.word).joined(separator: ", ")
                throw .badWord(field: "classes", word: messageClass, allowed: words)
            }
            sources[index].messageClass = messageClass
        }
        if let sender { sources[index].sender = sender.isEmpty ? nil : sender }
    }

    private static func check(_ limits: SourceLimits) throws(Fault) {
        if !SourceLimits.rateRange.contains(limits.rate) { throw .badLimit(field: "rate", allowed: SourceLimits.rateRange) }
        if !SourceLimits.rateRange.contains(limits.burst) { throw .badLimit(field: "burst", allowed: SourceLimits.rateRange) }
        if !SourceLimits.quotaRange.contains(limits.dailyQuota) { throw .badLimit(field: "quota", allowed: SourceLimits.quotaRange) }
    }

    /// Gives a source a further key, so that keys can be changed without a gap.
    public mutating func addKey(_ name: String, _ key: APIKey.Hash) throws(Fault) {
        guard let index = sources.firstIndex(where: { $0.name == name }) else { throw .unknown(name) }
        sources[index].keyHashes.append(key.text)
    }

    /// Binds a source to client certificates; no rule: to none.
    public mutating func bind(_ name: String, to certificates: [String]) throws(Fault) {
        try SourceFile.check(certificates)
        guard let index = sources.firstIndex(where: { $0.name == name }) else { throw .unknown(name) }
        sources[index].certificates = certificates.isEmpty ? nil : certificates
    }

    private static func check(_ certificates: [String]) throws(Fault) {
        for rule in certificates where CertificateRule(rule) == nil {
            throw .badWord(field: "certificates", word: rule, allowed: CertificateRule.forms)
        }
    }

    /// Takes all keys of a source away. Its number stays: records name it.
    public mutating func revoke(_ name: String) throws(Fault) {
        guard let index = sources.firstIndex(where: { $0.name == name }) else { throw .unknown(name) }
        sources[index].keyHashes = []
    }
}

extension SourceFile.Entry {
    fileprivate mutating func set(_ limits: SourceLimits) {
        rate = limits.rate == 0 ? nil : limits.rate
        burst = limits.burst == 0 ? nil : limits.burst
        dailyQuota = limits.dailyQuota == 0 ? nil : limits.dailyQuota
    }
}
