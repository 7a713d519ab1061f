import MartletDoors
import Testing

/// Reads a whole body with `decode`.
func readJSON<Value>(
    _ body: String, depthMax: Int = 16, _ decode: (inout JSONReader) throws(JSONFault) -> Value
) throws(JSONFault) -> Value {
    try readJSON([UInt8](body.utf8), depthMax: depthMax, decode)
}

func readJSON<Value>(
    _ body: [UInt8], depthMax: Int = 16, _ decode: (inout JSONReader) throws(JSONFault) -> Value
) throws(JSONFault) -> Value {
    let result = body.withUnsafeBytes { bytes in
        do throws(JSONFault) {
            return Result<Value, JSONFault>.success(try JSONReader.read(bytes, depthMax: depthMax, decode))
        } catch {
            return .failure(error)
        }
    }
    return try result.get()
}

/// The fault of a body that is only checked, nil when it is well-formed.
func jsonFault(_ body: [UInt8]) -> JSONFault? {
    do throws(JSONFault) {
        _ = try readJSON(body) { reader throws(JSONFault) in try reader.skip() }
        return nil
    } catch {
        return error
    }
}

func jsonFault(_ body: String) -> JSONFault? { jsonFault([UInt8](body.utf8)) }

@Suite("JSON reader")
struct JSONReaderTests {
    @Test("An intake body is read to its fields, strings made on demand")
    func intake() throws {
        struct Message: Equatable {
            var to = ""
            var channels: [String] = []
            var parameters: [String: String] = [:]
            var validity: Int64 = 0
            var urgent = false
            var reference: String? = "unset"
        }
        let body = """
             { "to": "+48501234567", "channel": ["push", "sms"], "params": {"name": "Jan \\u017B\\u00f3\\u0142w", "amount": "1 234,56 zł"},
               "validity" : 300, "urgent":true, "reference": null, "later": {"x": [1.5e3, {}, [], "y"]} }\r\n
            """
        let message = try readJSON(body) { reader throws(JSONFault) in
            var message = Message()
            var members = try reader.object()
            while let key = try reader.key(in: &members) {
                switch key {
                case "to": message.to = try reader.string().string
                case "channel":
                    var elements = try reader.array()
                    while try reader.next(in: &elements) { message.channels.append(try reader.string().string) }
                case "params":
                    var parameters = try reader.object()
                    while let name = try reader.key(in: &parameters) { message.parameters[name.string] = try reader.string().string }
                case "validity": message.validity = try reader.integer()
                case "urgent": message.urgent = try reader.boolean()
                case "reference": message.reference = try reader.isNull() ? nil : try reader.string().string
                default: try reader.skip()
                }
            }
            #expect(try reader.key(in: &members) == nil, "an ended object stays ended")
            return message
        }
        #expect(
            message
                == Message(
                    to: "+48501234567", channels: ["push", "sms"], parameters: ["name": "Jan Żółw", "amount": "1 234,56 zł"], validity: 300,
                    urgent: true, reference: nil))
    }

    @Test("Every escape means what the specification says")
    func escapes() throws {
        let body = #""\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude00\u0000x""#
        let (text, octets, raw) = try readJSON(body) { reader throws(JSONFault) in
            let text = try reader.string()
            #expect(text.hasEscapes)
            #expect(text.offset == 1)
            return (text.string, text.octets, text.raw.count)
        }
        #expect(text == "\"\\/\u{8}\u{C}\n\r\tAé€😀\u{0}x")
        #expect(octets == [UInt8](text.utf8))
        #expect(raw == body.utf8.count - 2)
    }

    @Test("Escaped and plain text at every distance from the start of a word of eight")
    func distances() throws {
        for before in 0..<20 {
            for piece in [#"\n"#, "ż", "😀", #"\u00e9"#, ""] {
                let plain = String(repeating: "a", count: before)
                let body = "\"\(plain)\(piece)\(plain)\""
                let text = try readJSON(body) { reader throws(JSONFault) in try reader.string().string }
                let meant = piece == #"\n"# ? "\n" : piece == #"\u00e9"# ? "é" : piece
                #expect(text == plain + meant + plain)
            }
        }
    }

    @Test("Keys are compared with what they mean")
    func keys() throws {
        let found = try readJSON(#"{"\u0074o": 1, "t": 2, "too": 3}"#) { reader throws(JSONFault) in
            var found: [Int64] = []
            var members = try reader.object()
            while let key = try reader.key(in: &members) {
                let value = try reader.integer()
                if key == "to" { found.append(value) }
            }
            return found
        }
        #expect(found == [1])
        let meant = try readJSON(#"["\u0074o", "to", "t", "tö", ""]"#) { reader throws(JSONFault) in
            var meant: [Bool] = []
            var elements = try reader.array()
            while try reader.next(in: &elements) { meant.append(try reader.string().means("to")) }
            return meant
        }
        #expect(meant == [true, true, false, false, false])
    }

    @Test(
        "Integers are exact, to both ends of Int64",
        arguments: [
            ("0", 0), ("-0", 0), ("7", 7), ("-7", -7), ("300", 300), ("9223372036854775807", Int64.max),
            ("-9223372036854775808", Int64.min),
            ("1000000000000000000", 1_000_000_000_000_000_000),
        ])
    func integers(text: String, value: Int64) throws {
        #expect(try readJSON(text) { reader throws(JSONFault) in try reader.integer() } == value)
    }

    @Test(
        "A number that is no Int64 is refused with its own reason and stays unread",
        arguments: [
            ("1.0", JSONFault.Reason.notAnInteger), ("1e3", .notAnInteger), ("1E+2", .notAnInteger), ("-0.0", .notAnInteger),
            ("9223372036854775808", .integerOutOfRange), ("-9223372036854775809", .integerOutOfRange),
            ("99999999999999999999999", .integerOutOfRange), ("-99999999999999999999999", .integerOutOfRange),
        ])
    func notIntegers(text: String, reason: JSONFault.Reason) throws {
        let (fault, written) = try readJSON("[ \(text)]") { reader throws(JSONFault) in
            var fault: JSONFault?
            var elements = try reader.array()
            _ = try reader.next(in: &elements)
            do throws(JSONFault) { _ = try reader.integer() } catch { fault = error }
            let written = try reader.numberText().string
            #expect(try reader.next(in: &elements) == false)
            #expect(try reader.next(in: &elements) == false, "an ended array stays ended")
            return (fault, written)
        }
        #expect(fault == JSONFault(offset: 2, reason: reason))
        #expect(fault?.isMalformed == false)
        #expect(written == text)
    }

    @Test("A value of the wrong kind is named, stays unread and can be skipped")
    func wrongKind() throws {
        let faults = try readJSON(#"[1, "a", {}, [], true, null]"#) { reader throws(JSONFault) in
            var faults: [JSONFault.Reason] = []
            var elements = try reader.array()
            func note(_ fault: JSONFault) {
                #expect(!fault.isMalformed)
                faults.append(fault.reason)
            }
            _ = try reader.next(in: &elements)
            do throws(JSONFault) { _ = try reader.string() } catch { note(error) }
            try reader.skip()
            _ = try reader.next(in: &elements)
            do throws(JSONFault) { _ = try reader.integer() } catch { note(error) }
            try reader.skip()
            _ = try reader.next(in: &elements)
            do throws(JSONFault) { _ = try reader.array() } catch { note(error) }
            try reader.skip()
            _ = try reader.next(in: &elements)
            do throws(JSONFault) { _ = try reader.object() } catch { note(error) }
            try reader.skip()
            _ = try reader.next(in: &elements)
            do throws(JSONFault) { _ = try reader.numberText() } catch { note(error) }
            #expect(try reader.isNull() == false)
            try reader.skip()
            _ = try reader.next(in: &elements)
            do throws(JSONFault) { _ = try reader.boolean() } catch { note(error) }
            #expect(try reader.isNull())
            #expect(try reader.next(in: &elements) == false)
            return faults
        }
        #expect(
            faults == [
                .wrongKind(wanted: .string, found: .number), .wrongKind(wanted: .number, found: .string),
                .wrongKind(wanted: .array, found: .object), .wrongKind(wanted: .object, found: .array),
                .wrongKind(wanted: .number, found: .boolean), .wrongKind(wanted: .boolean, found: .null),
            ])
    }

    @Test("A skipped value is returned as its place in the body")
    func places() throws {
        let body = #"{"a": {"b": [1, 2]} , "c":"d"}"#
        let places = try readJSON(body) { reader throws(JSONFault) in
            var places: [Range<Int>] = []
            var members = try reader.object()
            while try reader.key(in: &members) != nil { places.append(try reader.skip()) }
            #expect(reader.offset == body.utf8.count)
            return places
        }
        let octets = Array(body.utf8)
        #expect(places.map { String(decoding: octets[$0], as: UTF8.self) } == [#"{"b": [1, 2]}"#, #""d""#])
    }

    @Test(
        "Each mistake has its reason and its place",
        arguments: [
            ("", JSONFault.Reason.empty, 0), (" \n", .empty, 2), ("\u{FEFF}{}", .byteOrderMark, 0),
            ("{", .truncated, 1), ("[1,", .truncated, 3), ("\"ab", .truncated, 3), ("tru", .truncated, 3), ("-", .truncated, 1),
            ("1.", .truncated, 2),
            ("1e", .truncated, 2), ("\"\\", .truncated, 2), ("\"\\u12", .truncated, 5), ("\"\\ud83d", .truncated, 7),
            ("\"\\ud83d\\", .truncated, 8),
            ("?", .unexpectedCharacter, 0), ("[1,]", .unexpectedCharacter, 3), ("{\"a\":1,}", .unexpectedCharacter, 7),
            ("{\"a\" 1}", .unexpectedCharacter, 5), ("{a:1}", .unexpectedCharacter, 1), ("[1 2]", .unexpectedCharacter, 3),
            ("[,1]", .unexpectedCharacter, 1), ("{\"a\":}", .unexpectedCharacter, 5), ("[}", .unexpectedCharacter, 1),
            ("+1", .unexpectedCharacter, 0),
            ("\u{A0}1", .unexpectedCharacter, 0),
            ("\"a\tb\"", .controlCharacter, 2), ("\"\u{0}\"", .controlCharacter, 1),
            ("\"\\x\"", .invalidEscape, 1), ("\"ab\\u12g4\"", .invalidEscape, 3), ("\"\\U0041\"", .invalidEscape, 1),
            ("\"\\ud83d\"", .loneSurrogate, 1), ("\"\\ud83dx\"", .loneSurrogate, 1), ("\"\\ud83d\\n\"", .loneSurrogate, 1),
            ("\"\\ude00\"", .loneSurrogate, 1), ("\"\\ud83d\\u0041\"", .loneSurrogate, 1), ("\"\\ud83d\\ud83d\"", .loneSurrogate, 1),
            ("01", .invalidNumber, 1), ("-x", .invalidNumber, 1), ("1.x", .invalidNumber, 2), ("1e+x", .invalidNumber, 3),
            ("-.5", .invalidNumber, 1),
            ("trux", .invalidLiteral, 0), ("nul!", .invalidLiteral, 0), ("False", .unexpectedCharacter, 0),
            ("{\"a\":1,\"a\":2}", .duplicateKey, 7), ("{\"a\":1,\"\\u0061\":2}", .duplicateKey, 7),
            ("{\"\\u0061\":1,\"b\":2,\"a\":1}", .duplicateKey, 18),
            ("[{\"x\":{\"a\":1,\"a\":2}}]", .duplicateKey, 13),
            ("1 2", .trailing, 2), ("{}x", .trailing, 2), ("truefalse", .trailing, 4), ("1.5.5", .trailing, 3),
        ])
    func mistakes(body: String, reason: JSONFault.Reason, offset: Int) {
        let fault = jsonFault(body)
        #expect(fault == JSONFault(offset: offset, reason: reason))
        #expect(fault?.isMalformed == true)
    }

    @Test(
        "Octets that are no UTF-8 are refused where they start",
        arguments: [
            [0x80], [0xC0, 0xAF], [0xC1, 0x81], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80],
            [0xF5, 0x80],
            [0xFF], [0xC3, 0x28], [0xE2, 0x82, 0x28], [0xF0, 0x9F, 0x98, 0x28],
        ] as [[UInt8]])
    func invalidUTF8(octets: [UInt8]) {
        #expect(jsonFault([0x22, 0x61] + octets + [0x22]) == JSONFault(offset: 2, reason: .invalidUTF8))
        #expect(jsonFault([0x22, 0xC3, 0xA9] + octets + [0x22]) == JSONFault(offset: 3, reason: .invalidUTF8))
        #expect(jsonFault([0x22, 0xC3]) == JSONFault(offset: 2, reason: .truncated))
    }

    @Test("The ends of every UTF-8 length are taken")
    func validUTF8() throws {
        for scalar: Unicode.Scalar in ["\u{80}", "\u{7FF}", "\u{800}", "\u{D7FF}", "\u{E000}", "\u{FFFF}", "\u{10000}", "\u{10FFFF}"] {
            let text = String(Character(scalar))
            #expect(try readJSON("\"\(text)\"") { reader throws(JSONFault) in try reader.string().string } == text)
        }
    }

    @Test("Sixteen levels are read, the seventeenth is refused; a reader may be told another depth")
    func depth() {
        func nested(_ levels: Int) -> String { String(repeating: "[", count: levels) + String(repeating: "]", count: levels) }
        #expect(jsonFault(nested(16)) == nil)
        #expect(jsonFault(nested(17)) == JSONFault(offset: 16, reason: .tooDeep))
        #expect(jsonFault("[" + String(repeating: "[],{},", count: 100) + "1]") == nil, "depth is given back")
        #expect(jsonFault(String(repeating: "{\"a\":", count: 17)) == JSONFault(offset: 80, reason: .tooDeep))
        #expect(throws: JSONFault(offset: 1, reason: .tooDeep)) {
            try readJSON("[[]]", depthMax: 1) { reader throws(JSONFault) in try reader.skip() }
        }
    }

    @Test("A key that stands twice is found among any number of keys, and the same key in two objects is none")
    func manyKeys() {
        for count in [2, 63, 64, 65, 66, 500] {
            let keys = (0..<count).map { "\"key\($0)\":{\"key0\":1}" }
            #expect(jsonFault("{" + keys.joined(separator: ",") + "}") == nil)
            for twice in [0, count / 2, count - 1] {
                let fault = jsonFault("{" + keys.joined(separator: ",") + ",\"k\\u0065y\(twice)\":0}")
                #expect(fault?.reason == .duplicateKey, "\(twice) of \(count)")
            }
        }
        // Keys whose ends and lengths agree, so that only their middle tells them apart.
        #expect(jsonFault(#"{"abcdefghXabcdefgh":1,"abcdefghYabcdefgh":2,"abcdefghZabcdefgh":3,"abcdefgh\u0041abcdefgh":4}"#) == nil)
        #expect(jsonFault(#"{"abcdefghXabcdefgh":1,"abcdefghYabcdefgh":2,"abcdefghYabcdefgh":3}"#)?.reason == .duplicateKey)
        #expect(jsonFault(#"{"é":1,"e\u0301":2}"#) == nil, "canonically the same, but other octets")
        #expect(jsonFault(#"[{"a":1},{"a":1}]"#) == nil)
    }

    @Test("Keys of every length are told apart by any one octet")
    func nearKeys() {
        for count in 0..<30 {
            let key = String(repeating: "a", count: count)
            #expect(jsonFault("{\"\(key)\":1,\"\(key)a\":2}") == nil)
            #expect(jsonFault("{\"\(key)\":1,\"\(key)\":2}")?.reason == .duplicateKey)
            let others = (0..<count).map { key.prefix($0) + "b" + key.dropFirst($0 + 1) }
            #expect(jsonFault("{" + (others + [key[...]]).map { "\"\($0)\":0" }.joined(separator: ",") + "}") == nil)
        }
    }

    @Test("A decoder that leaves the value unread is told that something follows")
    func unread() {
        #expect(throws: JSONFault(offset: 0, reason: .trailing)) { try readJSON("{}") { _ throws(JSONFault) in 1 } }
    }

    @Test("A fault is described with its offset and no content")
    func descriptions() {
        #expect("\(JSONFault(offset: 7, reason: .duplicateKey))" == "the same key twice in one object (offset 7)")
        #expect("\(JSONFault(offset: 1, reason: .wrongKind(wanted: .string, found: .null)))" == "string wanted, null found (offset 1)")
        let all: [JSONFault.Reason] = [
            .empty, .truncated, .byteOrderMark, .unexpectedCharacter, .controlCharacter, .invalidEscape, .loneSurrogate, .invalidUTF8,
            .invalidNumber,
            .invalidLiteral, .tooDeep, .duplicateKey, .trailing, .wrongKind(wanted: .array, found: .object), .notAnInteger,
            .integerOutOfRange,
        ]
        #expect(Set(all.map(\.words)).count == all.count)
    }
}
