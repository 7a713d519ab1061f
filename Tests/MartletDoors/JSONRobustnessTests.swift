import MartletDoors
import Testing

@Suite("JSON reader under bad input")
struct JSONRobustnessTests {
    static let rich: [UInt8] = Array(
        #"""
        {"to":"+48501234567","text":"Zażółć \"gęślą\" \u017b\ud83d\ude00 😀\n","channel":["push","sms",[],{}],"params":{"code":"483920",
         "n":[0,-1,1.5,-2.25e-10,9E+9,1234567890123],"deep":[[[[{"a":{"b":{}}}]]]]},"yes":true,"no":false,"none":null,"\u0061":1}
        """#.utf8)

    @Test("A rich body is read whole and refused when cut at any octet")
    func truncation() {
        #expect(jsonFault(Self.rich) == nil)
        for count in 0..<Self.rich.count {
            let fault = jsonFault(Array(Self.rich[..<count]))
            #expect(fault?.reason == (count == 0 ? .empty : .truncated), "cut at \(count)")
            #expect(fault?.offset == count, "cut at \(count)")
        }
    }

    @Test("One octet too many at the end is refused, white space aside")
    func trailing() {
        for octet in UInt8.min ... .max {
            let isSpace = [0x20, 0x09, 0x0A, 0x0D].contains(octet)
            #expect(jsonFault(Self.rich + [octet])?.reason == (isSpace ? nil : .trailing))
        }
    }

    @Test("Every octet replaced by every other is read or refused, never a crash, and the fault lies inside the body")
    func replaced() {
        for at in Self.rich.indices {
            for octet: UInt8 in [0x00, 0x1F, 0x22, 0x2C, 0x30, 0x3A, 0x5B, 0x5C, 0x5D, 0x7B, 0x7D, 0x7F, 0x80, 0xC3, 0xED, 0xF4, 0xFF] {
                var body = Self.rich
                body[at] = octet
                if let fault = jsonFault(body) { #expect((0...body.count).contains(fault.offset)) }
            }
        }
    }

    @Test("Random damage is read or refused; what is read twice gives the same", arguments: 1...100)
    func mutated(seed: UInt64) throws {
        var random = SeededForJSON(state: seed)
        for _ in 0..<100 {
            var body = Self.rich
            for _ in 0...random.next(below: 6) {
                let at = random.next(below: body.count)
                switch random.next(below: 5) {
                case 0: body[at] = UInt8(truncatingIfNeeded: random.next(below: 256))
                case 1: body.remove(at: at)
                case 2: body.insert(Array(#"{}[],:"\ue19-"#.utf8)[random.next(below: 13)], at: at)
                case 3: body.replaceSubrange(at..<min(at + random.next(below: 20), body.count), with: [])
                default:
                    body.insert(contentsOf: body[at..<min(at + random.next(below: 20), body.count)], at: random.next(below: body.count))
                }
                if body.isEmpty { body = [0x30] }
            }
            let fault = jsonFault(body)
            #expect(fault == jsonFault(body))
            if let fault {
                #expect((0...body.count).contains(fault.offset))
                #expect(fault.isMalformed)
            } else {
                #expect(String(validating: body, as: UTF8.self) != nil, "a body that is no UTF-8 was read")
                let strings = try readJSON(body) { reader throws(JSONFault) in try Self.strings(&reader) }
                #expect(strings.allSatisfy { !$0.unicodeScalars.contains("\u{FFFD}") })
            }
        }
    }

    /// Every string and key, decoded.
    static func strings(_ reader: inout JSONReader) throws(JSONFault) -> [String] {
        var strings: [String] = []
        switch try reader.kind() {
        case .string:
            strings.append(try reader.string().string)
        case .object:
            var members = try reader.object()
            while let key = try reader.key(in: &members) {
                strings.append(key.string)
                strings += try Self.strings(&reader)
            }
        case .array:
            var elements = try reader.array()
            while try reader.next(in: &elements) { strings += try Self.strings(&reader) }
        case .number, .boolean, .null:
            try reader.skip()
        }
        return strings
    }
}
