import Foundation
import Guard
import MartletModel
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import MartletNode

@Suite("Files of a node")
struct FilesTests {
    private func directory() throws -> String {
        let path = FileManager.default.temporaryDirectory.appending(path: "martlet-files-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    @Test("A source is found by its key, keys can be added and revoked, and its number stays")
    func sources() throws {
        let data = try directory()
        let key = APIKey.generate()
        let more = APIKey.generate()
        _ = try SourceFile.change(data) { file throws(SourceFile.Fault) in
            _ = try file.add("core", scopes: ["send"], senders: ["HARBOUR"], classes: ["otp"], sender: "HARBOUR", key: APIKey.hash(of: key))
            return try file.add("crm", scopes: ["send", "read"], key: nil)
        }
        try SourceFile.change(data) { file throws(SourceFile.Fault) in try file.addKey("core", APIKey.hash(of: more)) }
        let registry = SourceRegistry(try SourceFile.load(data))
        let generation = registry.generation
        #expect(registry.source(presenting: key.reveal().utf8)?.name == "core")
        #expect(registry.source(presenting: more.reveal().utf8)?.defaultSender == "HARBOUR")
        #expect(registry.source(presenting: "mk_wrong".utf8) == nil)
        #expect(registry.source(numbered: 2)?.scopes == [.send, .read])
        #expect(registry.all.map(\.number) == [1, 2])
        try SourceFile.change(data) { file throws(SourceFile.Fault) in try file.revoke("core") }
        registry.replace(try SourceFile.load(data))
        #expect(registry.source(presenting: key.reveal().utf8) == nil)
        #expect(registry.generation == generation + 1)
    }

    @Test("The defaults of a source are changed one by one, and an empty sender is none")
    func defaults() throws {
        var file = SourceFile()
        _ = try file.add("core", scopes: ["send"], sender: "HARBOUR", key: nil)
        try file.setDefaults("core", sender: nil, messageClass: "service")
        #expect(file.sources[0].sender == "HARBOUR" && file.sources[0].messageClass == "service")
        try file.setDefaults("core", sender: "", messageClass: nil)
        #expect(file.sources[0].sender == nil && file.sources[0].messageClass == "service")
        #expect(throws: SourceFile.Fault.self) { try file.setDefaults("core", sender: nil, messageClass: "loud") }
        #expect(throws: SourceFile.Fault.self) { try file.setDefaults("crm", sender: "X", messageClass: nil) }
    }

    @Test("Limits are kept with their source and changed one by one; files written before there were any are read")
    func limits() throws {
        let data = try directory()
        _ = try SourceFile.change(data) { file throws(SourceFile.Fault) in
            _ = try file.add("free", scopes: ["send"], key: nil)
            return try file.add("core", scopes: ["send"], limits: SourceLimits(rate: 5, dailyQuota: 100), key: nil)
        }
        let text = try String(contentsOfFile: SourceFile.path(data), encoding: .utf8)
        #expect(text.contains("dailyQuota") && text.split(separator: "\n").count { $0.contains("rate") } == 1)
        #expect(
            try SourceFile.change(data) { file throws(SourceFile.Fault) in try file.limit("core", burst: 7) }
                == SourceLimits(rate: 5, burst: 7, dailyQuota: 100))
        _ = try SourceFile.change(data) { file throws(SourceFile.Fault) in try file.limit("core", rate: 0, dailyQuota: 9) }
        let registry = SourceRegistry(try SourceFile.load(data))
        #expect(registry.source(named: "core")?.limits == SourceLimits(rate: 0, burst: 7, dailyQuota: 9))
        #expect(registry.source(named: "free")?.limits == SourceLimits())
        for (rate, burst, quota) in [(-1, nil, nil), (nil, 100_001, nil), (nil, nil, 1_000_000_001)] as [(Int?, Int?, Int?)] {
            #expect(throws: SourceFile.Fault.self) {
                try SourceFile.change(data) { file throws(SourceFile.Fault) in
                    try file.limit("core", rate: rate, burst: burst, dailyQuota: quota)
                }
            }
        }
        #expect(throws: SourceFile.Fault.self) {
            try SourceFile.change(data) { file throws(SourceFile.Fault) in try file.limit("nobody", rate: 1) }
        }
        #expect("\(SourceFile.Fault.badLimit(field: "rate", allowed: 0...9))" == "rate: 0 to 9 parts; 0 is no limit")
        #expect(registry.source(named: "core")?.limits.dailyQuota == 9)
    }

    @Test("A source is bound to certificates and freed again, and a file from before knows none")
    func certificates() throws {
        let data = try directory()
        _ = try SourceFile.change(data) { file throws(SourceFile.Fault) in
            _ = try file.add("core", scopes: ["send"], certificates: ["cn:core"], key: nil)
            return try file.add("crm", scopes: ["send"], key: nil)
        }
        #expect(try SourceFile.load(data).sources.map(\.source.certificates) == [["cn:core"], []])
        try SourceFile.change(data) { file throws(SourceFile.Fault) in
            try file.bind("crm", to: ["dns:a.example", "sha256:\(String(repeating: "0a", count: 32))"])
            try file.bind("core", to: [])
        }
        let text = try String(contentsOfFile: SourceFile.path(data), encoding: .utf8)
        #expect(try SourceFile.load(data).sources.map { $0.source.certificates.count } == [0, 2])
        #expect(text.components(separatedBy: "certificates").count == 2, "where there is none, the file is as it was before")
    }

    @Test("Bad names, words and files are named")
    func sourceFaults() throws {
        let data = try directory()
        func fault(_ body: (inout SourceFile) throws(SourceFile.Fault) -> Void) -> String {
            do {
                try SourceFile.change(data, body)
                return ""
            } catch {
                return "\(error)"
            }
        }
        #expect(fault { file throws(SourceFile.Fault) in _ = try file.add("a b", scopes: [], key: nil) }.contains("no name"))
        #expect(fault { file throws(SourceFile.Fault) in _ = try file.add("a", scopes: ["sned"], key: nil) }.contains("sned"))
        #expect(fault { file throws(SourceFile.Fault) in _ = try file.add("a", scopes: [], classes: ["otpp"], key: nil) }.contains("otpp"))
        #expect(fault { file throws(SourceFile.Fault) in _ = try file.add("a", scopes: [], key: nil) } == "")
        #expect(fault { file throws(SourceFile.Fault) in _ = try file.add("a", scopes: [], key: nil) }.contains("already"))
        #expect(fault { file throws(SourceFile.Fault) in try file.revoke("nobody") }.contains("nobody"))
        #expect(fault { file throws(SourceFile.Fault) in try file.bind("nobody", to: []) }.contains("nobody"))
        #expect(fault { file throws(SourceFile.Fault) in try file.bind("a", to: ["core"]) }.contains("dns:NAME"))
        #expect(fault { file throws(SourceFile.Fault) in try file.addKey("nobody", APIKey.hash(of: APIKey.generate())) }.contains("nobody"))
        try "not json".write(toFile: SourceFile.path(data), atomically: true, encoding: .utf8)
        #expect(fault { _ throws(SourceFile.Fault) in }.contains("cannot be read"))
        #expect(throws: SourceFile.Fault.self) { try SourceFile.change("/proc/nowhere/at/all") { _ throws(SourceFile.Fault) in } }
    }

    @Test("Names keep their numbers for ever")
    func numbers() throws {
        let path = "\(try directory())/groups"
        #expect(try NumberFile.numbers(of: ["b", "a"], in: path) == ["b": 1, "a": 2])
        #expect(try NumberFile.numbers(of: ["a", "c"], in: path) == ["b": 1, "a": 2, "c": 3])
        try "nonsense\n".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(throws: NumberFile.Fault.self) { try NumberFile.numbers(of: ["a"], in: path) }
        #expect(throws: NumberFile.Fault.self) { try NumberFile.numbers(of: (0..<300).map { "n\($0)" }, in: "\(path).full") }
        #expect(throws: NumberFile.Fault.self) { try NumberFile.numbers(of: ["a"], in: "/proc/nowhere/groups") }
        #expect("\(NumberFile.Fault.full(path: "x"))".contains("255"))
    }

    @Test("The control socket answers a request a line, and says when a line is none")
    func control() throws {
        let path = "\(try directory())/c.sock"
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let channel = try loop.flatSubmit {
            ControlServer.start(path: path, loop: loop) { request, peer, answer in
                answer(.progress(peer.who))
                answer(.done("did \(request.verb)", [["a"]]))
            }
        }.wait()
        var told: [String] = []
        let answer = try ControlClient.ask(ControlRequest(verb: "status"), socket: path) { told.append($0.message) }
        #expect(answer.message == "did status" && answer.more == nil)
        // Who it is the system says, not the request.
        #expect(told == [ControlPeer.describe(getuid())])
        #expect(ControlPeer.describe(0) == "root (uid 0)" && ControlPeer.describe(4_000_000_000) == "uid 4000000000")
        let raw = try ClientBootstrap(group: group).connect(unixDomainSocketPath: path).wait()
        try raw.writeAndFlush(ByteBuffer(string: "nonsense\n")).wait()
        // A line without end is cut off; whether the write or the close tells is the kernel's choice.
        raw.writeAndFlush(ByteBuffer(repeating: 0x61, count: 1_100_000), promise: nil)
        try raw.closeFuture.wait()
        try channel.close().wait()
        #expect(throws: ControlClient.Fault.self) { try ControlClient.ask(ControlRequest(verb: "status"), socket: "\(path).none") }
        #expect(throws: ControlClient.Fault.self) {
            try ControlClient.ask(ControlRequest(verb: "status"), socket: String(repeating: "x", count: 200))
        }
        #expect("\(ControlClient.Fault.notRunning(path: "p"))".contains("serve"))
        #expect("\(ControlClient.Fault.broken(reason: "why"))".contains("why"))
    }
}
