import Glibc
import MartletModel
import Testing

@testable import MartletDoors

/// The written contract against the code.
@Suite struct HTTPDocumentsTests {
    static func text(_ path: String) throws -> String {
        let root = "\(#filePath)".split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        let file = try #require(fopen("\(root)/docs/\(path)", "r"), "no docs/\(path)")
        var bytes = [UInt8](repeating: 0, count: 1 << 17)
        let count = fread(&bytes, 1, bytes.count, file)
        fclose(file)
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    @Test("Every error that the door can answer stands in the OpenAPI document, with its title, and in the guide")
    func errors() throws {
        let document = try HTTPDocumentsTests.text("reference/openapi.yaml")
        let guide = try HTTPDocumentsTests.text("guides/http-api.md")
        for code in HTTPErrors.problems {
            #expect(document.contains("- /problems/\(code.code)\n"), "\(code.code)")
            #expect(document.contains("title: \(code.title)"), "\(code.code)")
            #expect(guide.contains("`\(code.code)`"), "\(code.code)")
        }
        for code in HTTPErrors.fields {
            #expect(document.contains("- \(code.code)\n"), "\(code.code)")
            #expect(guide.contains("`\(code.code)`"), "\(code.code)")
        }
    }

    @Test("Every class, state and reason stands in the OpenAPI document")
    func words() throws {
        let document = try HTTPDocumentsTests.text("reference/openapi.yaml")
        #expect(document.contains("enum: [\(MessageClass.allCases.map(\.word).joined(separator: ", "))]"))
        #expect(document.contains("enum: [\(MessageState.allCases.map(\.word).joined(separator: ", "))]"))
        #expect(document.contains("enum: [\(EndReason.allCases.dropFirst().map(\.word).joined(separator: ", ")), null]"))
    }
}
