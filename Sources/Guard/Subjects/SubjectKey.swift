import Crypto

/// One subject's data key, unwrapped: seals what is kept of one customer. Destroyed with the customer's erasure.
public struct SubjectKey: Sendable {
    /// The subject's number, from 1; never given a second time.
    public let number: UInt32
    let symmetric: SymmetricKey
}

extension SubjectKey: CustomStringConvertible, CustomReflectable {
    public var description: String { "subject key \(number)" }
    public var customMirror: Mirror { Mirror(self, children: ["number": number]) }
}

/// What a look-up of a subject's key finds.
public enum SubjectLookup: Sendable {
    case key(SubjectKey)
    /// Destroyed for good.
    case erased
    /// Never given out, or not yet.
    case unknown
    /// Its slot holds something that is no key of this number: the backup has it.
    case damaged

    /// The key, where there is one.
    public var key: SubjectKey? {
        if case .key(let key) = self { return key }
        return nil
    }
}

extension Sealer {
    /// As with a data key; the fault names the subject's number. `context.low` is the subject's number or the id of the row, `context.high` and
    /// `kind` what else tells this value from others under the same key.
    public mutating func seal(
        _ plaintext: UnsafeRawBufferPointer, context: SealContext, key: SubjectKey, into output: UnsafeMutableRawBufferPointer
    ) throws(SealFault) -> Int {
        try seal(plaintext, context: context, key: key.asDataKey, into: output)
    }

    /// Opens what was sealed with a subject's key.
    public static func open(_ sealed: UnsafeRawBufferPointer, context: SealContext, key: SubjectKey) throws(SealFault) -> [UInt8] {
        try open(sealed, context: context, key: key.asDataKey)
    }
}

extension SubjectKey {
    /// For the one sealer there is; class and day say nothing here.
    fileprivate var asDataKey: DataKey { DataKey(id: number, messageClass: 0, day: 0, symmetric: symmetric) }
}
