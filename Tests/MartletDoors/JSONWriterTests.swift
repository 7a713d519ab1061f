import MartletDoors
import Testing

@Suite("JSON writer")
struct JSONWriterTests {
    private func write(_ body: (inout JSONWriter<[UInt8]>) -> Void) -> String {
        var writer = JSONWriter(into: [UInt8]())
        body(&writer)
        return String(decoding: writer.sink, as: UTF8.self)
    }

    @Test("An answer is written with its commas in place")
    func answer() {
        let text = write { writer in
            writer.object { writer in
                writer.member("id", "0192")
                writer.member("state", "accepted")
                writer.member("parts", 1)
                writer.member("duplicate", false)
                writer.member("none", object: { _ in })
                writer.member(
                    "list",
                    array: { writer in
                        writer.integer(-1)
                        writer.null()
                        writer.boolean(true)
                        writer.array { _ in }
                        writer.object { $0.member("a", "b") }
                        writer.string("end")
                    })
                writer.key(text: "run\"time")
                writer.integer(UInt8(255))
                writer.key("raw")
                Array(#"{"x":1}"#.utf8).withUnsafeBytes { writer.raw($0) }
                writer.key("utf8")
                Array("zł".utf8).withUnsafeBytes { writer.string(utf8: $0) }
            }
        }
        #expect(
            text == #"{"id":"0192","state":"accepted","parts":1,"duplicate":false,"none":{},"#
                + #""list":[-1,null,true,[],{"a":"b"},"end"],"run\"time":255,"raw":{"x":1},"utf8":"zł"}"#)
        #expect(jsonFault(text) == nil)
    }

    @Test("What RFC 8259 demands is escaped, and nothing else")
    func escapes() {
        #expect(write { $0.string("a\"b\\c/d") } == #""a\"b\\c/d""#)
        #expect(write { $0.string("\u{8}\t\n\u{C}\r") } == #""\b\t\n\f\r""#)
        #expect(write { $0.string("\u{0}\u{1F}\u{0B}\u{7F}") } == "\"\\u0000\\u001f\\u000b\u{7F}\"")
        #expect(write { $0.string("żółw 😀 \u{2028}") } == "\"żółw 😀 \u{2028}\"")
        #expect(write { $0.string("") } == "\"\"")
    }

    @Test("Integers are written exactly, to both ends of their types")
    func integers() {
        #expect(write { $0.integer(0) } == "0")
        #expect(write { $0.integer(Int64.min) } == "-9223372036854775808")
        #expect(write { $0.integer(UInt64.max) } == "18446744073709551615")
        #expect(write { $0.integer(Int128.min) } == "-170141183460469231731687303715884105728")
    }

    @Test("Lines of NDJSON stand alone")
    func lines() {
        let text = write { writer in
            for number in 1...2 {
                writer.object { $0.member("n", number) }
                writer.endLine()
            }
        }
        #expect(text == "{\"n\":1}\n{\"n\":2}\n")
    }

    @Test("Any text written is read back the same", arguments: 1...40)
    func roundTrip(seed: UInt64) throws {
        var random = SeededForJSON(state: seed)
        for _ in 0..<50 {
            var text = String.UnicodeScalarView()
            for _ in 0..<random.next(below: 60) {
                let value = UInt32(random.next(below: [0x20, 0x80, 0x800, 0x1_0000, 0x11_0000][random.next(below: 5)]))
                text.append(Unicode.Scalar(value) ?? "\u{FFFD}")
            }
            let body = write { $0.string(String(text)) }
            let read = try readJSON(body) { reader throws(JSONFault) in try reader.string().octets }
            #expect(read == [UInt8](String(text).utf8))
        }
    }

    @Test("Sixty-three levels can be nested")
    func deep() {
        func nest(_ writer: inout JSONWriter<[UInt8]>, _ level: Int) {
            writer.array { writer in
                if level > 1 { nest(&writer, level - 1) }
                writer.integer(level)
            }
        }
        let text = write { nest(&$0, 63) }
        #expect(text.hasPrefix(String(repeating: "[", count: 63) + "1],2],3]"))
    }
}

/// SplitMix64.
struct SeededForJSON {
    var state: UInt64

    mutating func next(below bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
    }
}
