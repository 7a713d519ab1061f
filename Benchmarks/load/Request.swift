import Glibc

/// Which numbers the messages go to.
struct NumberRange {
    /// Of the range kept free for plays and tests, with a million of them.
    var first: UInt64 = 447_700_000_000
    var count: UInt64 = 1_000_000
    /// In no order, as the serial's hash says; else a walk over all of them before one returns.
    var isRandom = false

    func number(_ serial: UInt64) -> UInt64 {
        // A step that shares no factor with a million.
        guard isRandom else { return first + serial &* 7919 % count }
        // SplitMix64.
        var z = serial &* 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return first + (z ^ (z >> 31)) % count
    }
}

/// The bytes of one HTTP request, with places that change from message to message: `{serial}` becomes ten digits, `{number}`
/// the twelve digits of a phone number. Both have a fixed width, so a request is made by overwriting digits in place.
struct Request: ~Copyable {
    let bytes: UnsafeMutableBufferPointer<UInt8>
    private let serials: [Int]
    private let numbers: [Int]
    private let range: NumberRange

    private static let serialWord = Array("{serial}".utf8)
    private static let numberWord = Array("{number}".utf8)
    static let serialDigits = 10
    static let numberDigits = 12

    /// - Parameter body: nil sends no body and no length.
    init(method: String, target: String, host: String, headers: [String], body: String?, range: NumberRange) {
        self.range = range
        var head = "\(method) \(target) HTTP/1.1\r\nHost: \(host)\r\n"
        for header in headers { head += "\(header)\r\n" }
        if let body { head += "Content-Length: \(Request.expanded(Array(body.utf8)).text.count)\r\n" }
        head += "\r\n"
        let (text, serials, numbers) = Request.expanded(Array((head + (body ?? "")).utf8))
        bytes = .allocate(capacity: text.count)
        _ = bytes.initialize(from: text)
        self.serials = serials
        self.numbers = numbers
    }

    deinit { bytes.deallocate() }

    private static func expanded(_ source: [UInt8]) -> (text: [UInt8], serials: [Int], numbers: [Int]) {
        var text: [UInt8] = []
        var serials: [Int] = []
        var numbers: [Int] = []
        var place = 0
        while place < source.count {
            if source[place...].starts(with: serialWord) {
                serials.append(text.count)
                text += [UInt8](repeating: 48, count: serialDigits)
                place += serialWord.count
            } else if source[place...].starts(with: numberWord) {
                numbers.append(text.count)
                text += [UInt8](repeating: 48, count: numberDigits)
                place += numberWord.count
            } else {
                text.append(source[place])
                place += 1
            }
        }
        return (text, serials, numbers)
    }

    func fill(serial: UInt64) {
        for place in serials { write(serial, digits: Request.serialDigits, at: place) }
        for place in numbers { write(range.number(serial), digits: Request.numberDigits, at: place) }
    }

    private func write(_ value: UInt64, digits: Int, at place: Int) {
        var rest = value
        for index in stride(from: place + digits - 1, through: place, by: -1) {
            bytes[index] = 48 + UInt8(rest % 10)
            rest /= 10
        }
    }
}
