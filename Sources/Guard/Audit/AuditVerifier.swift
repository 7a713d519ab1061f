/// What a check of the audit found, with its place.
public enum AuditFinding: Equatable, Sendable, CustomStringConvertible {
    /// The fields of this entry, or the hash stored beside it, are not what was written. `stored` is the number that it says it has.
    case altered(sequence: UInt64, stored: UInt64)
    /// This entry does not follow on the one before: that one was written anew with its hash, or stands in the place of another.
    case unlinked(sequence: UInt64)
    /// Entries that are not where they belong: deleted, or moved behind.
    case missing(from: UInt64, through: UInt64)
    /// An entry whose number was passed already: inserted, doubled or swapped. `after` is the highest number before it.
    case outOfPlace(sequence: UInt64, after: UInt64)
    /// The details kept beside are not those that the entry was made with, or it was made with none.
    case detailsAltered(sequence: UInt64)
    /// A checkpoint knows another entry of this number: it, or one before it back to the last checkpoint that fits, was written anew.
    case contradicted(sequence: UInt64, lastFitting: UInt64)
    /// The chain ends, and a checkpoint knows of a later entry.
    case cut(after: UInt64, known: UInt64)
    /// A line among the checkpoints, counted from 1, that is none of this chain.
    case badCheckpoint(line: Int, AuditCheckpointFault)
    /// Checkpoints must come in the order of their numbers; this line, counted from 1, goes back and was not used.
    case checkpointOrder(line: Int)

    public var description: String {
        switch self {
        case .altered(let sequence, let stored):
            "entry \(sequence) was altered" + (stored == sequence ? "" : " (it says it is \(stored))")
        case .unlinked(let sequence): "entry \(sequence) does not follow on the entry before it, one of the two was replaced"
        case .missing(let from, let through): from == through ? "entry \(from) is missing" : "entries \(from) to \(through) are missing"
        case .outOfPlace(let sequence, let after): "entry \(sequence) stands after entry \(after): inserted, doubled or swapped"
        case .detailsAltered(let sequence): "the details of entry \(sequence) are not those it was made with"
        case .contradicted(let sequence, let fitting):
            "the checkpoint of entry \(sequence) has another hash: entries after \(fitting) were written anew"
        case .cut(let after, let known): "the chain ends with entry \(after), a checkpoint knows entry \(known): the end was cut off"
        case .badCheckpoint(let line, let fault): "line \(line) of the checkpoints: \(fault)"
        case .checkpointOrder(let line): "line \(line) of the checkpoints goes back; give them in the order of their entries"
        }
    }
}

/// Result of a check of a whole chain.
public struct AuditReport: Sendable {
    /// Entries read.
    public var entries: UInt64 = 0
    /// The last entry in its place.
    public var head: AuditHead
    /// The number of the last entry that a checkpoint confirmed; 0 for none.
    public var confirmed: UInt64 = 0
    /// All findings, of which `findings` keeps the first.
    public var findingCount: UInt64 = 0
    public var findings: [AuditFinding] = []

    public static let maximumFindings = 1000
    public var isSound: Bool { findingCount == 0 }
}

/// Checks a chain entry by entry in the order of storage, with memory that does not grow with it.
///
/// What it finds it names, and goes on from the next entry that can be placed; so one flip is one finding. An altered entry shows by its own
/// hash; a gap, an insertion or a swap by the numbers and by the hash of the entry before; what was written anew from some entry to the end,
/// hashes and all, only by the checkpoints.
public struct AuditVerifier {
    public private(set) var report: AuditReport
    /// Hashes by which the next entry may name the last one: as stored, and as its fields give it.
    private var links: (stored: AuditHash, computed: AuditHash)
    private var checkpoints: AuditCheckpointReader
    private var frame: [UInt8] = []

    /// - Parameters:
    ///   - head: where to begin, such as that of a checkpoint: the first entry given is the one after it. Nil: at the beginning of the chain.
    ///   - checkpoints: lines as they were handed outside, in the order of their entries.
    ///   - keys: the public keys they may be signed with.
    public init(
        chain: String, after head: AuditHead? = nil, checkpoints: some Sequence<String> = EmptyCollection<String>(),
        keys: [AuditCheckpointKey] = []
    ) {
        let start = head ?? AuditChain.origin(chain)
        report = AuditReport(head: start)
        links = (start.hash, start.hash)
        self.checkpoints = AuditCheckpointReader(chain, checkpoints, keys)
        confirm(start.sequence, start.hash)
    }

    /// - Parameter details: what is kept beside this entry; nil where there is none or it was erased.
    public mutating func take(_ stored: ChainedAuditEntry, details: AuditDetails? = nil) {
        report.entries += 1
        let entry = stored.entry
        let computed = entry.hash(framedIn: &frame)
        let expected = report.head.sequence &+ 1
        let isWhole = computed == stored.hash
        let follows = links.stored == entry.previous || links.computed == entry.previous
        var place = entry.sequence
        // An altered entry may lie about its number; its link, or its hash in the entry after it, still says where it belongs.
        if !isWhole {
            if follows || place < expected { place = expected }
            found(.altered(sequence: place, stored: entry.sequence))
        } else if place < expected {
            found(.outOfPlace(sequence: place, after: report.head.sequence))
        } else if place == expected, !follows {
            found(.unlinked(sequence: place))
        }
        if let details, details.commitment == nil || details.commitment != entry.details, isWhole {
            found(.detailsAltered(sequence: place))
        }
        guard place >= expected else { return }
        if place > expected { found(.missing(from: expected, through: place - 1)) }
        links = (stored.hash, computed)
        report.head = AuditHead(sequence: place, hash: computed)
        // An altered entry is named already. Its hash as stored may still be the one that was signed.
        confirm(place, isWhole ? computed : nil)
    }

    /// After the last entry: says what the checkpoints know beyond it.
    public mutating func finish() -> AuditReport {
        var known = report.head.sequence
        while let next = nextCheckpoint() { known = max(known, next.head.sequence) }
        if known > report.head.sequence { found(.cut(after: report.head.sequence, known: known)) }
        return report
    }

    /// Holds the checkpoints of this number against its hash; those of numbers before it, of entries that are missing, are passed.
    private mutating func confirm(_ sequence: UInt64, _ hash: AuditHash?) {
        while let next = nextCheckpoint(upTo: sequence) {
            guard next.head.sequence == sequence, let hash else { continue }
            if next.head.hash == hash {
                report.confirmed = sequence
            } else {
                found(.contradicted(sequence: sequence, lastFitting: report.confirmed))
            }
        }
    }

    private mutating func nextCheckpoint(upTo sequence: UInt64 = .max) -> AuditCheckpoint? {
        while true {
            switch checkpoints.next(upTo: sequence) {
            case .none: return nil
            case .some(.failure(let bad)): found(bad.finding)
            case .some(.success(let checkpoint)): return checkpoint
            }
        }
    }

    private mutating func found(_ finding: AuditFinding) {
        report.findingCount += 1
        if report.findings.count < AuditReport.maximumFindings { report.findings.append(finding) }
    }
}

extension AuditChain {
    /// Checks a whole chain; `AuditVerifier` does so where entries come in pieces.
    public static func verify(
        _ entries: some Sequence<ChainedAuditEntry>, chain: String, after head: AuditHead? = nil,
        checkpoints: some Sequence<String> = EmptyCollection<String>(), keys: [AuditCheckpointKey] = []
    ) -> AuditReport {
        var verifier = AuditVerifier(chain: chain, after: head, checkpoints: checkpoints, keys: keys)
        for entry in entries { verifier.take(entry) }
        return verifier.finish()
    }
}

/// Lines of checkpoints, one at a time and no sooner than they are needed.
private struct AuditCheckpointReader {
    struct Bad: Error { let finding: AuditFinding }

    private let chain: String
    private let keys: [AuditCheckpointKey]
    private let lines: AnyIterator<String>
    private var line = 0
    private var highest: UInt64 = 0
    private var waiting: AuditCheckpoint?

    init(_ chain: String, _ lines: some Sequence<String>, _ keys: [AuditCheckpointKey]) {
        self.chain = chain
        self.keys = keys
        var iterator = lines.makeIterator()
        self.lines = AnyIterator { iterator.next() }
    }

    /// The next one whose entry is not after `sequence`; nil: there is none yet, or no more.
    mutating func next(upTo sequence: UInt64) -> Result<AuditCheckpoint, Bad>? {
        if waiting == nil {
            guard let text = lines.next() else { return nil }
            line += 1
            do throws(AuditCheckpointFault) {
                let read = try AuditCheckpoint(line: text, chain: chain, keys: keys)
                guard read.head.sequence >= highest else { return .failure(Bad(finding: .checkpointOrder(line: line))) }
                highest = read.head.sequence
                waiting = read
            } catch {
                return .failure(Bad(finding: .badCheckpoint(line: line, error)))
            }
        }
        guard let found = waiting, found.head.sequence <= sequence else { return nil }
        waiting = nil
        return .success(found)
    }
}
