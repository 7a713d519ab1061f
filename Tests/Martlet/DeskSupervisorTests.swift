import Foundation
import Logging
import Testing

@testable import martlet

/// The desk as a child of the node; a shell stands in for it.
@Suite("Desk: supervision") struct DeskSupervisorTests {
    private let quick = DeskSupervisor.Backoff(first: .milliseconds(20), longest: .milliseconds(50), steady: .seconds(60))

    private func supervisor(_ script: String) -> DeskSupervisor {
        DeskSupervisor(
            DeskSupervisor.Launch(path: "/bin/sh", arguments: ["-c", script]), backoff: quick,
            logger: Logger(label: "supervisor", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    private func until(_ condition: () -> Bool) async throws {
        for _ in 0..<1500 {
            if condition() { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("it did not come about")
    }

    @Test("A desk that is killed is started again, and one that is told to stop stays away")
    func killed() async throws {
        let supervisor = supervisor("exec sleep 600")
        supervisor.start()
        try await until { supervisor.child != nil }
        let first = try #require(supervisor.child)
        kill(first, SIGKILL)
        try await until { supervisor.starts == 2 && supervisor.child != nil }
        let second = try #require(supervisor.child)
        #expect(second != first)
        supervisor.beginStopping()
        supervisor.waitForEnd(.seconds(30))
        #expect(supervisor.child == nil)
        #expect(kill(second, 0) == -1)
        #expect(supervisor.starts == 2)
    }

    @Test("A desk that ends by itself, or cannot be started, is tried again and again")
    func ends() async throws {
        let supervisor = supervisor("exit 2")
        supervisor.start()
        try await until { supervisor.starts >= 3 }
        supervisor.beginStopping()
        supervisor.waitForEnd(.seconds(30))
        let missing = DeskSupervisor(
            DeskSupervisor.Launch(path: "/nowhere/martlet", arguments: []), backoff: quick,
            logger: Logger(label: "supervisor", factory: { _ in SwiftLogNoOpLogHandler() }))
        missing.start()
        missing.beginStopping()
        missing.waitForEnd(.seconds(30))
        #expect(missing.starts == 0)
    }

    @Test("A desk that does not stop is ended")
    func stubborn() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "desk-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let supervisor = supervisor("trap '' TERM; : > \(file); while :; do sleep 0.1; done")
        supervisor.start()
        try await until { FileManager.default.fileExists(atPath: file) }
        supervisor.beginStopping()
        supervisor.waitForEnd(.milliseconds(200))
        #expect(supervisor.child == nil)
    }

    @Test("The pipe at its standard input is open as long as the node lives, and nothing else of the node reaches it")
    func input() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "desk-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let supervisor = supervisor(
            "readlink /proc/$$/fd/0 > \(file); ls /proc/$$/fd | wc -l >> \(file); echo end >> \(file); exec sleep 600")
        supervisor.start()
        try await until { (try? String(contentsOfFile: file, encoding: .utf8))?.hasSuffix("end\n") == true }
        let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
        #expect(lines.first?.hasPrefix("pipe:") == true)
        // Three, and what the shell itself opens for its pipeline.
        #expect((3...5).contains(Int(lines[1].trimmingCharacters(in: .whitespaces)) ?? 0))
        supervisor.beginStopping()
        supervisor.waitForEnd(.seconds(30))
    }
}
