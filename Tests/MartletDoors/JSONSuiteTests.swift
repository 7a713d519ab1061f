import Glibc
import MartletDoors
import Testing

/// JSONTestSuite of Nicolas Seriot, fetched at set-up. `y_` must be read, `n_` must be refused, `i_` may be either.
@Suite("JSON parsing suite")
struct JSONSuiteTests {
    static let root = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined()
    static let folder = root + "/.tools/json-test-suite"

    static let names: [String] = {
        guard let folder = opendir(folder) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name.hasSuffix(".json") { names.append(name) }
        }
        return names.sorted()
    }()

    static func read(_ name: String) -> [UInt8]? {
        guard let file = fopen(folder + "/" + name, "r") else { return nil }
        defer { fclose(file) }
        var octets: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { octets += chunk[..<count] }
        return octets
    }

    /// The grammar allows keys that stand twice; Martlet refuses them, since two readers could take two different values.
    static let refusedOnPurpose: [String: JSONFault.Reason] = [
        "y_object_duplicated_key.json": .duplicateKey,
        "y_object_duplicated_key_and_value.json": .duplicateKey,
    ]

    @Test("The suite is there: 95 to read, 188 to refuse, 35 left open")
    func present() {
        let remedy: Comment = "no complete suite in \(Self.folder): run scripts/fetch-json-suite"
        #expect(Self.names.count { $0.hasPrefix("y_") } == 95, remedy)
        #expect(Self.names.count { $0.hasPrefix("n_") } == 188, remedy)
        #expect(Self.names.count { $0.hasPrefix("i_") } == 35, remedy)
    }

    @Test("What is well-formed is read, but for keys that stand twice")
    func accepted() throws {
        for name in Self.names where name.hasPrefix("y_") {
            let body = try #require(Self.read(name))
            #expect(jsonFault(body)?.reason == Self.refusedOnPurpose[name], "\(name)")
        }
    }

    @Test("What is malformed is refused")
    func refused() throws {
        for name in Self.names where name.hasPrefix("n_") {
            let body = try #require(Self.read(name))
            let fault = jsonFault(body)
            #expect(fault != nil, "\(name)")
            #expect(fault.map { (0...body.count).contains($0.offset) } ?? true, "\(name)")
        }
    }

    @Test("What the specification leaves open brings nothing down; no text that is not Unicode gets through")
    func open() throws {
        for name in Self.names where name.hasPrefix("i_") {
            let fault = jsonFault(try #require(Self.read(name)))
            if name.hasPrefix("i_string") || name.hasPrefix("i_object") || name.hasPrefix("i_structure") {
                #expect(fault != nil, "\(name)")
            } else {
                #expect(fault == nil, "\(name): a number of any size is well-formed")
            }
        }
    }
}
