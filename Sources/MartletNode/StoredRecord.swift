import Guard
import Journal
import MartletModel

/// A record read back from the log, and the one place where a sealed part is opened. None of it is for a loop.
enum StoredRecord {
    /// Its header and its sealed part as it lies there.
    static func sealed(at position: UInt64, in journal: Reader) throws -> (header: RecordHeader, sealed: [UInt8]) {
        let bytes = try journal.read(at: position)
        let header = try bytes.withUnsafeBytes { try RecordHeader(reading: $0) }
        return (header, Array(bytes[Record.sealedOffset(header)...]))
    }

    /// What was sealed in the record of this header: a payload, or a part of a message from a handset.
    static func open(_ sealed: UnsafeRawBufferPointer, of header: RecordHeader, _ keys: RecordKeys) throws(SealFault) -> [UInt8] {
        try keys.open(sealed, context: SealContext(header.id), keyID: header.keyID)
    }

    static func opened(at position: UInt64, in journal: Reader, _ keys: RecordKeys) throws -> [UInt8] {
        let (header, sealed) = try sealed(at: position, in: journal)
        return try sealed.withUnsafeBytes { try open($0, of: header, keys) }
    }

    static func payload(_ sealed: UnsafeRawBufferPointer, of header: RecordHeader, _ keys: RecordKeys) throws -> Payload {
        try open(sealed, of: header, keys).withUnsafeBytes { try Payload(reading: $0) }
    }

    static func payload(at position: UInt64, in journal: Reader, _ keys: RecordKeys) throws -> Payload {
        try opened(at: position, in: journal, keys).withUnsafeBytes { try Payload(reading: $0) }
    }
}
