/// What an audit entry says of a person: kept beside the chain and erased with the person. The entry holds only a commitment; with salt and
/// details gone nobody can tell from it what they were, not even by trying every phone number, and the chain verifies as before.
public struct AuditDetails: Sendable, Equatable {
    /// 32 random bytes of this entry alone; erased together with the details.
    public let salt: [UInt8]
    public let bytes: [UInt8]

    public static let saltBytes = 32

    /// With a new salt.
    public init(_ bytes: [UInt8]) {
        self.init(salt: Randomness.bytes(AuditDetails.saltBytes), bytes: bytes)
    }

    /// As they were stored.
    public init(salt: [UInt8], bytes: [UInt8]) {
        self.salt = salt
        self.bytes = bytes
    }

    /// SHA-256 over `martlet audit details v1`, a line feed, salt and details. The salt has one length, so the frame has one reading;
    /// details with another are no details of any entry, which nil says.
    public var commitment: AuditHash? {
        guard salt.count == AuditDetails.saltBytes else { return nil }
        return AuditHash(of: Array("martlet audit details v1\n".utf8) + salt + bytes)
    }
}

extension AuditDetails: CustomStringConvertible, CustomReflectable {
    public var description: String { "audit details of \(bytes.count) bytes" }
    public var customMirror: Mirror { Mirror(self, children: ["count": bytes.count]) }
}
