public import MartletModel

/// Changes as the desk hands them to a node: for each its length (u32, little-endian) and its bytes, as the overlay keeps them.
public enum ChangeBatch {
    /// Bytes and changes of one batch: a few milliseconds of work for the node, and far below the line of its control socket.
    public static let bytesMaximum = 48 << 10
    public static let changesMaximum = 1024

    public enum Fault: Error, Equatable, Sendable, CustomStringConvertible {
        case tooLarge(limit: Int)
        case tooMany(limit: Int)
        /// It ends within a change.
        case cutOff(change: Int)
        case change(Int, CustomerFault)

        public var description: String {
            switch self {
            case .tooLarge(let limit): "changes: more than \(limit) bytes in one batch"
            case .tooMany(let limit): "changes: more than \(limit) in one batch"
            case .cutOff(let change): "changes: the batch ends within change \(change)"
            case .change(let change, let fault): "changes: change \(change): \(fault)"
            }
        }
    }

    /// Adds a change to the batch.
    /// - Returns: false, and nothing added, when it has to go with the next one. A change larger than a batch goes alone.
    public static func append(_ change: CustomerChange, to batch: inout [UInt8]) throws(CustomerFault) -> Bool {
        var bytes: [UInt8] = []
        try change.write(to: &bytes)
        guard batch.isEmpty || batch.count + 4 + bytes.count <= bytesMaximum else { return false }
        withUnsafeBytes(of: UInt32(bytes.count).littleEndian) { batch.append(contentsOf: $0) }
        batch.append(contentsOf: bytes)
        return true
    }

    /// - Throws: which change cannot be read; none counts then.
    public static func changes(_ batch: [UInt8]) throws(Fault) -> [CustomerChange] {
        // One change may be as large as two records.
        guard batch.count <= bytesMaximum + 2 * CustomerLimits.recordBytes else { throw .tooLarge(limit: bytesMaximum) }
        var changes: [CustomerChange] = []
        var at = 0
        while at < batch.count {
            guard changes.count < changesMaximum else { throw .tooMany(limit: changesMaximum) }
            guard batch.count - at >= 4 else { throw .cutOff(change: changes.count) }
            let count = (0..<4).reduce(0) { $0 | Int(batch[at + $1]) << (8 * $1) }
            at += 4
            guard count <= batch.count - at else { throw .cutOff(change: changes.count) }
            let result: Result<CustomerChange, CustomerFault> = batch[at..<at + count].withUnsafeBytes { bytes in
                do throws(CustomerFault) {
                    return .success(try CustomerChange(reading: bytes))
                } catch {
                    return .failure(error)
                }
            }
            do throws(CustomerFault) { changes.append(try result.get()) } catch { throw .change(changes.count, error) }
            at += count
        }
        return changes
    }
}
