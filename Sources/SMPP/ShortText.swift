/// A C-octet string of at most 20 octets kept in place, without the heap: addresses, service types and times of SMPP.
public struct ShortText: Hashable, Sendable {
    // In memory order: octet 0 is the first byte of `first`. Unused octets are zero, so equality is equality of the words.
    @usableFromInline var first: UInt64 = 0
    @usableFromInline var second: UInt64 = 0
    @usableFromInline var third: UInt64 = 0
    @usableFromInline var length: UInt8 = 0

    public static let maximum = 20

    @inlinable public init() {}

    /// Nil when longer than 20 octets or when it holds a NUL.
    @inlinable public init?(octets: UnsafeRawBufferPointer) {
        guard octets.count <= ShortText.maximum else { return nil }
        var words: (UInt64, UInt64, UInt64) = (0, 0, 0)
        var plain = true
        withUnsafeMutableBytes(of: &words) { target in
            for index in 0..<octets.count {
                let octet = octets[index]
                if octet == 0 { plain = false }
                target[index] = octet
            }
        }
        guard plain else { return nil }
        (first, second, third) = words
        length = UInt8(octets.count)
    }

    /// Nil when longer than 20 octets, or when a character is not ASCII or is NUL.
    @inlinable public init?(_ text: some StringProtocol) {
        var words: (UInt64, UInt64, UInt64) = (0, 0, 0)
        var count = 0
        var plain = true
        withUnsafeMutableBytes(of: &words) { target in
            for octet in text.utf8 {
                guard count < ShortText.maximum, octet > 0, octet < 128 else {
                    plain = false
                    return
                }
                target[count] = octet
                count += 1
            }
        }
        guard plain else { return nil }
        (first, second, third) = words
        length = UInt8(count)
    }

    /// The decimal digits of a number.
    @inlinable public init(digits: UInt64) {
        var words: (UInt64, UInt64, UInt64) = (0, 0, 0)
        var rest = digits
        var count = 1
        var bound = digits / 10
        while bound > 0 {
            count += 1
            bound /= 10
        }
        withUnsafeMutableBytes(of: &words) { target in
            var index = count
            repeat {
                index -= 1
                target[index] = UInt8(truncatingIfNeeded: 48 &+ rest % 10)
                rest /= 10
            } while index > 0
        }
        (first, second, third) = words
        length = UInt8(count)
    }

    @inlinable public var count: Int { Int(length) }
    @inlinable public var isEmpty: Bool { length == 0 }

    /// The octets, without NUL.
    @inlinable public func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        let words = (first, second, third)
        let count = self.count
        return withUnsafeBytes(of: words) { body(UnsafeRawBufferPointer(rebasing: $0[0..<count])) }
    }

    public var text: String { withBytes { String(decoding: $0, as: UTF8.self) } }
}

extension ShortText: CustomStringConvertible {
    public var description: String { text }
}

/// An address with its type of number and numbering plan (sections 5.2.5 to 5.2.9).
public struct Address: Hashable, Sendable {
    public var ton: UInt8
    public var npi: UInt8
    public var text: ShortText

    @inlinable public init(ton: UInt8 = 0, npi: UInt8 = 0, text: ShortText = ShortText()) {
        self.ton = ton
        self.npi = npi
        self.text = text
    }
}
