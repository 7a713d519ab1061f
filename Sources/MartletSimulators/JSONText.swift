/// Writes JSON, in the order given.
struct JSONText {
    indirect enum Value: Sendable {
        case null
        case flag(Bool)
        case integer(Int)
        case number(Double)
        case text(String)
        case list([Value])
        case map([(String, Value)])
    }

    private(set) var bytes: [UInt8] = []

    init() {}

    init(_ value: Value) {
        append(value)
    }

    mutating func append(_ value: Value) {
        switch value {
        case .null: bytes += "null".utf8
        case .flag(let flag): bytes += (flag ? "true" : "false").utf8
        case .integer(let number): bytes += "\(number)".utf8
        case .number(let number): append(number: number)
        case .text(let text): append(text: text)
        case .list(let items):
            bytes.append(UInt8(ascii: "["))
            for (index, item) in items.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                append(item)
            }
            bytes.append(UInt8(ascii: "]"))
        case .map(let entries):
            bytes.append(UInt8(ascii: "{"))
            for (index, entry) in entries.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                append(text: entry.0)
                bytes.append(UInt8(ascii: ":"))
                append(entry.1)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    /// Whole numbers without ".0"; JSON has no infinities, and nothing here makes one.
    private mutating func append(number: Double) {
        if let whole = Int(exactly: number) {
            bytes += "\(whole)".utf8
        } else {
            bytes += "\(number)".utf8
        }
    }

    private mutating func append(text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0x0a: bytes += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
            case 0x0d: bytes += [UInt8(ascii: "\\"), UInt8(ascii: "r")]
            case 0x09: bytes += [UInt8(ascii: "\\"), UInt8(ascii: "t")]
            case 0..<0x20:
                bytes += "\\u00".utf8
                bytes.append(Digits.hex(byte >> 4))
                bytes.append(Digits.hex(byte & 15))
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
