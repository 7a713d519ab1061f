import Foundation
import MartletModel
import MartletSettings
import Testing

@testable import martlet

@Suite("Reference")
struct ReferenceTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .path

    @Test("The generated pages and the sample settings are what the declarations say")
    func fresh() {
        let update = ProcessInfo.processInfo.environment["UPDATE_REFERENCE"] == "1"
        #expect(Reference.stale(Declared.pages, root: ReferenceTests.root, update: update) == [])
    }

    @Test("Nothing is declared twice, and everything declared is explained")
    func unique() {
        #expect(Set(Declared.settings.map(\.path)).count == Declared.settings.count)
        #expect(Set(Declared.metrics.map(\.name)).count == Declared.metrics.count)
        #expect(Set(Declared.errors.map(\.code)).count == Declared.errors.count)
        #expect(Declared.settings.allSatisfy { !$0.doc.isEmpty })
        #expect(Declared.metrics.allSatisfy { $0.name.hasPrefix("martlet_") && !$0.doc.isEmpty })
        #expect(Declared.errors.allSatisfy { !$0.remedy.isEmpty })
    }
}
