import Guard
public import MartletModel

/// The sender systems of a node as its doors see them; confined to the loop. Made from the source file, replaced whole when that changes.
public final class SourceRegistry: SourceDirectory {
    private var sources: [SourceNumber: Source] = [:]
    private var keys = APIKeyTable()
    public private(set) var generation: UInt64 = 0

    public init(_ file: SourceFile) { replace(file) }

    public func replace(_ file: SourceFile) {
        sources = [:]
        keys = APIKeyTable()
        for entry in file.sources {
            sources[entry.number] = entry.source
            for hash in entry.keyHashes { if let hash = APIKey.Hash(text: hash) { keys.insert(hash, UInt32(entry.number)) } }
        }
        generation += 1
    }

    public func source(presenting key: some Collection<UInt8>) -> Source? {
        keys.value(presenting: key).flatMap { sources[SourceNumber(truncatingIfNeeded: $0)] }
    }

    public func source(numbered number: SourceNumber) -> Source? { sources[number] }

    public func source(named name: String) -> Source? { sources.values.first { $0.name == name } }

    public var all: [Source] { sources.values.sorted { $0.number < $1.number } }
}
