import Foundation
import Guard
import MartletDesk
import MartletLocal
import MartletModel
import MartletNode
import NIOCore
import NIOPosix
import Testing

@testable import martlet

@Suite("The desk's way to the node") struct NodeSocketTests {
    @Test("Figures and batches go over the control socket; a refusal keeps its reason, and no node is said to be none")
    func asks() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "ns-\(UInt32.random(in: 0 ... .max))").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let socket = NodeSocket(path: "\(folder)/c")
        await #expect(throws: ControlClient.Fault.self) { try await socket.figures() }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let channel = try await loop.flatSubmit {
            ControlServer.start(path: "\(folder)/c", loop: loop) { request, _, answer in
                switch request.verb {
                case "customers":
                    let rows = [("version", 3), ("newest", 9), ("changes", 1), ("changesLimit", 4), ("bytes", 5), ("bytesLimit", 6)]
                    answer(.done("", rows.map { [$0.0, String($0.1)] }))
                case "customers-apply":
                    let bytes = Data(base64Encoded: request.fields?["changes"] ?? "").map { Array($0) } ?? []
                    guard let changes = try? ChangeBatch.changes(bytes) else { return answer(.failed("the overlay is full")) }
                    answer(.done("", [["newest", String(changes.count)]]))
                case "keys-forget":
                    let isUnderstood = request.fields == ["otp": "20700", "marketing": "20701"]
                    answer(isUnderstood ? .done("", [["destroyed", "5"]]) : .failed("other fields"))
                default: answer(.failed(request.verb))
                }
            }
        }.get()
        let figures = LocalNodeFigures(version: 3, newest: 9, changes: 1, changesLimit: 4, bytes: 5, bytesLimit: 6)
        #expect(try await socket.figures() == figures)
        var batch: [UInt8] = []
        #expect(try ChangeBatch.append(.erased(7), to: &batch))
        #expect(try await socket.apply(batch) == 1)
        #expect(try await socket.forgetKeys(before: [.otp: 20_700, .marketing: 20_701]) == 5)
        do {
            _ = try await socket.apply([1])
            Issue.record("a refusal was taken for an answer")
        } catch {
            #expect("\(error)" == "the overlay is full")
        }
        try await channel.close()
        try await group.shutdownGracefully()
        try FileManager.default.removeItem(atPath: folder)
    }
}
