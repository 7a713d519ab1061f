import Testing

@testable import MartletDesk

@Suite("Desk: strict JSON") struct StrictJSONTests {
    private struct Inner: Decodable, Equatable {
        var value: Int8
        var flag: Bool?
    }

    private struct Outer: Decodable, Equatable {
        var name: String
        var inner: Inner?
        var list: [Inner]
        var map: [String: Double]?
        var word: String
    }

    private func faults(_ text: String) -> [String] {
        do {
            _ = try StrictJSON.decode(Outer.self, from: Array(text.utf8))
            return []
        } catch DeskFault.invalid(let faults) {
            return faults.map { "\($0.path) \($0.code)" }
        } catch {
            return ["\(error)"]
        }
    }

    @Test("What fits is read, lists, maps and nothings too")
    func fits() throws {
        let value = try StrictJSON.decode(
            Outer.self,
            from: Array(
                #"{"name": "é\n", "inner": null, "list": [{"value": -3, "flag": true}], "map": {"a": 1, "b": 0.5}, "word": "w"}"#.utf8))
        #expect(value == Outer(name: "é\n", inner: nil, list: [Inner(value: -3, flag: true)], map: ["a": 1, "b": 0.5], word: "w"))
    }

    @Test(
        "Each mistake has its path, unknown fields all at once",
        arguments: [
            (
                #"{"name": "a", "word": "", "list": [{"value": 1, "vlaue": 2}], "x": null, "inner": {"value": 1, "y": {}}}"#,
                ["inner.y unknown_field", "list[0].vlaue unknown_field", "x unknown_field"]
            ),
            (#"{"name": "a", "word": "", "list": [{"value": 300}]}"#, ["list[0].value range"]),
            (#"{"name": "a", "word": "", "list": [{"value": 1.5}]}"#, ["list[0].value type"]),
            (#"{"name": "a", "word": "", "list": [{"value": "1"}]}"#, ["list[0].value type"]),
            (#"{"name": "a", "word": "", "list": {}}"#, ["list type"]),
            (#"{"name": "a", "word": "", "list": [1]}"#, ["list[0] type"]),
            (#"{"name": true, "word": "", "list": []}"#, ["name type"]),
            (#"{"list": []}"#, ["name required", "word required"]),
            (#"{"word": "", "x": 1}"#, ["name required", "list required"]),
            (#"[]"#, [" type"]),
        ])
    func mistakes(text: String, expected: [String]) { #expect(faults(text) == expected) }

    @Test("A cursor comes back as it went, and a foreign one does not")
    func cursors() {
        for key in [[UInt8](), [1], [255, 254, 253], Array("anna".utf8)] {
            let text = APICursor.text(Cursor(key: key))
            #expect(!text.contains("="))
            #expect(APICursor.cursor(text)?.key == key)
        }
        #expect(APICursor.cursor("a+b=") == nil)
        #expect(APICursor.cursor("!") == nil)
    }

    @Test("A path is a JSON Pointer, a part of the path what was encoded")
    func paths() {
        #expect(APIProblem.pointer("contacts[0].value") == "/contacts/0/value")
        #expect(APIProblem.pointer("") == "")
        #expect(APIProblem.pointer("a/b~c") == "/a~1b~0c")
        #expect(APIText.decoded("40%2D118%zz%") == "40-118%zz%")
    }
}
