import Testing

@testable import MartletModel

@Suite("Rulebook: compiling and the file")
struct RulebookTests {
    private func routes(_ text: String, key: String = "default", version: Int64 = 1) throws -> RulebookObject {
        RulebookObject(kind: .routes, key: key, version: version, content: try JSONValue(reading: Array(text.utf8), maximumBytes: 10_000))
    }

    private func compile(_ objects: RulebookObject..., groups: Set<String>? = ["north", "south"]) -> (Rulebook, [RulebookFinding]) {
        Rulebook.compile(RulebookSource(number: 7, at: 1, objects: objects), in: Rulebook.Surroundings(groups: groups))
    }

    @Test("Routes of all objects make one table")
    func table() throws {
        let (rulebook, findings) = compile(
            try routes(#"{"routes": [{"prefix": "44", "group": "north", "note": "cheaper"}]}"#, key: "b"),
            try routes(#"{"routes": [{"prefix": "", "group": "south"}]}"#, key: "a"))
        #expect(findings.isEmpty)
        #expect(rulebook.number == 7)
        #expect(rulebook.routes == [NumberRoute(prefix: "", group: "south"), NumberRoute(prefix: "44", group: "north")])
        #expect(compile().0.routes == nil && compile().1.isEmpty)
    }

    @Test(
        "Each mistake is one finding with its place, severity and remedy",
        arguments: [
            (#"[]"#, "routes/default$", "not an object"),
            (#"{}"#, "routes/default$.routes", "missing"),
            (#"{"routes": 1}"#, "routes/default$.routes", "not a list"),
            (#"{"routes": [], "more": 1}"#, "routes/default$.more", "no such field"),
            (#"{"routes": [7]}"#, "routes/default$.routes[0]", "not an object"),
            (#"{"routes": [{"group": "north"}]}"#, "routes/default$.routes[0].prefix", "missing"),
            (#"{"routes": [{"prefix": 44, "group": "north"}]}"#, "routes/default$.routes[0].prefix", "not a text"),
            (#"{"routes": [{"prefix": "+44", "group": "north"}]}"#, "routes/default$.routes[0].prefix", "digits only"),
            (#"{"routes": [{"prefix": "0044", "group": "north"}]}"#, "routes/default$.routes[0].prefix", "begins with 0"),
            (#"{"routes": [{"prefix": "1234567890123456", "group": "north"}]}"#, "routes/default$.routes[0].prefix", "longer than 15"),
            (#"{"routes": [{"prefix": "44", "group": "west"}]}"#, "routes/default$.routes[0].group", "no connection"),
            (
                #"{"routes": [{"prefix": "4", "group": "north"}, {"prefix": "4", "group": "south"}]}"#, "routes/default$.routes[1].prefix",
                "routes[0]"
            ),
            (#"{"routes": []}"#, "routes/default", "no number has a route"),
        ])
    func mistakes(text: String, path: String, word: String) throws {
        let (_, findings) = compile(try routes(text))
        #expect(!findings.areUsable)
        let finding = try #require(findings.first { $0.path == path }, "\(findings)")
        #expect(finding.severity == .error && finding.message.contains(word) && !finding.remedy.isEmpty)
    }

    @Test("A table without a route for every number is used, with a warning; groups that are not known are not missed")
    func warning() throws {
        let (rulebook, findings) = compile(try routes(#"{"routes": [{"prefix": "44", "group": "west"}]}"#), groups: nil)
        #expect(findings.map(\.severity) == [.warning] && findings.areUsable)
        #expect(rulebook.routes?.count == 1)
    }

    /// Stands for SHA-256: the file does not care.
    private func digest(_ bytes: [UInt8]) -> [UInt8] {
        var sum: UInt64 = 14_695_981_039_346_656_037
        for byte in bytes { sum = (sum ^ UInt64(byte)) &* 1_099_511_628_211 }
        return (0..<32).map { UInt8(truncatingIfNeeded: sum >> UInt64($0 % 8 * 8)) }
    }

    @Test("A file gives back what was written, and any changed byte is noticed")
    func file() throws {
        let source = RulebookSource(
            number: 7, at: 5, objects: [try routes(#"{"routes": []}"#, key: "b", version: 3), try routes(#"{"x": 1}"#, key: "a")])
        let bytes = try RulebookFile.bytes(source, digest: digest)
        let read = try RulebookFile.read(bytes, digest: digest)
        #expect(read.source == source && source.objects.map(\.key) == ["a", "b"])
        #expect(read.digest == digest(RulebookFile.document(source)))
        #expect(String(decoding: bytes, as: UTF8.self).hasPrefix("martlet-rulebook 1 7 "))
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 1
            #expect(throws: RulebookFile.Fault.self, "byte \(index)") { try RulebookFile.read(damaged, digest: digest) }
            #expect(throws: RulebookFile.Fault.self) { try RulebookFile.read(Array(bytes[..<index]), digest: digest) }
        }
    }

    @Test("A newer format, a kind of a newer version and a document of another shape are told apart")
    func foreign() throws {
        func file(_ document: String, format: Int = 1, number: Int = 7) -> [UInt8] {
            let body = Array(document.utf8)
            return Array("martlet-rulebook \(format) \(number) \(body.count) \(RulebookFile.hex(digest(body)))\n".utf8) + body
        }
        func fault(_ bytes: [UInt8]) -> RulebookFile.Fault? {
            do throws(RulebookFile.Fault) {
                _ = try RulebookFile.read(bytes, digest: digest)
                return nil
            } catch {
                return error
            }
        }
        #expect(fault(file("{}", format: 2)) == .newer(format: "2"))
        #expect(fault(file("{}")) == .damaged(place: "its document"))
        #expect(fault(file("{")) == .damaged(place: "byte 1: the name of a field is expected"))
        #expect(fault(file(#"{"number": 8, "at": 1, "objects": []}"#)) == .damaged(place: "its number"))
        #expect(fault(file(#"{"number": 7, "at": 1, "objects": [1]}"#)) == .damaged(place: "its object 0"))
        let kind = #"{"number": 7, "at": 1, "objects": [{"kind": "moods", "key": "a", "version": 1, "content": 1}]}"#
        #expect(fault(file(kind)) == .unknownKind("moods"))
        for one in [RulebookFile.Fault.newer(format: "2"), .unknownKind("moods"), .tooLong, .damaged(place: "x")] {
            #expect(!one.description.isEmpty)
        }
    }

    @Test("Files are named by their release, and no other name is one")
    func names() {
        #expect(RulebookFile.name(7) == "rulebook-0000000007")
        #expect(RulebookFile.number(of: "rulebook-0000000007") == 7)
        #expect(RulebookFile.number(of: RulebookFile.name(12_345_678_901)) == 12_345_678_901)
        for name in ["rulebook-7", "rulebook-0000000000", "rulebook-000000000a", "rulebook.new", "customers-0000000007.base"] {
            #expect(RulebookFile.number(of: name) == nil, "\(name)")
        }
        #expect(RulebookObject.isKey("default.2") && !RulebookObject.isKey("A") && !RulebookObject.isKey(""))
    }

    @Test("What differs between two sets is told object by object")
    func differences() throws {
        let old = [try routes(#"{"a": 1}"#, key: "a"), try routes(#"{"b": 1}"#, key: "b"), try routes(#"{"c": 1}"#, key: "c")]
        let new = [try routes(#"{"a": 1}"#, key: "a"), try routes(#"{"b": 2}"#, key: "b", version: 2), try routes(#"{"d": 1}"#, key: "d")]
        let found = RulebookDifference.between(old, new)
        #expect(found.map(\.key) == ["b", "c", "d"])
        #expect(found.map(\.before) == [1, 1, nil] && found.map(\.after) == [2, nil, 1])
        #expect(found[0].changes == [JSONChange(path: [.field("b")], before: .integer(1), after: .integer(2))])
        #expect(found[1].changes == [JSONChange(path: [], before: old[2].content, after: nil)])
        #expect(RulebookDifference.between(new, new).isEmpty)
    }
}
