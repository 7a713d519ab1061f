import MartletModel
import NIOCore
import NIOEmbedded
import SMPP
import Testing

@testable import MartletDoors

/// Who may bind, how, and how often.
@Suite struct SMPPBindTests {
    private func bind(_ mode: Bind.Mode = .transceiver, _ name: String = "bank", _ password: String = "secret") -> Packet.Body {
        .bind(Bind(mode: mode, systemID: name, password: password))
    }

    @Test("A bind with the right name and password is accepted in every mode, and told the server's name and version")
    func accepted() throws {
        for mode in Bind.Mode.allCases {
            let bench = SMPPBench()
            let client = try bench.connect()
            let answer = try client.answer(to: bind(mode))
            #expect(answer.body == .bindResponse(mode, BindResponse(systemID: "MARTLET", interfaceVersion: 0x34)))
            #expect(answer.status == .ok)
            #expect(bench.door.counters.binds == 1)
            #expect(bench.owner.roomChanges == 1)
            #expect(try bench.teller.room == (mode.receives ? 50 : 0))
            #expect(try bench.teller.name == "bank")
            #expect(client.isOpen)
        }
    }

    @Test("A wrong name and a wrong password get the same answer, later each time, and the connection closes")
    func refused() throws {
        let bench = SMPPBench()
        for (request, delay) in zip(
            [bind(.transceiver, "other"), bind(.transceiver, "bank", "secreT"), bind(.transceiver, "bank", ""), bind(.receiver, "")],
            [500, 1000, 2000, 4000] as [Int64])
        {
            let client = try bench.connect()
            try client.send(request)
            bench.wait(delay - 1)
            #expect(try client.read().isEmpty)
            #expect(client.isOpen)
            bench.wait(1)
            let answers = try client.read()
            #expect(answers.map(\.status) == [.bindFailed])
            #expect(!client.isOpen)
        }
        #expect(bench.door.counters.bindsRefused == 4)
        #expect(bench.door.counters.connectionsOpen == 0)
    }

    @Test("Whatever comes while a refusal waits is dropped, in the same read and in later ones")
    func silentWhileJudged() throws {
        let bench = SMPPBench()
        let client = try bench.connect()
        try client.send(bind(.transceiver, "bank", "wrong"), bind(), .text(), .enquireLink)
        try client.send(.unbind, bind())
        #expect(try client.read().isEmpty)
        #expect(client.isOpen)
        bench.wait(500)
        #expect(try client.read().map(\.status) == [.bindFailed])
        #expect(bench.intake.submissions.isEmpty)
    }

    @Test("A peer that leaves while its refusal waits is forgotten")
    func leavesWhileJudged() throws {
        let bench = SMPPBench()
        let client = try bench.connect()
        try client.send(bind(.transceiver, "bank", "wrong"))
        try client.channel.close().wait()
        bench.wait(500)
        #expect(try client.read().isEmpty)
        #expect(bench.door.counters.connectionsOpen == 0)
    }

    @Test("The delay of a guesser grows to eight seconds, per address, and goes with a success or a minute's peace")
    func brake() {
        var brake = GuessingBrake()
        func fail(_ peer: String, _ steady: Int64 = 0) -> Int64 { brake.failed(peer, at: steady) }
        #expect((0..<6).map { fail("10.0.0.1", $0) } == [500_000, 1_000_000, 2_000_000, 4_000_000, 8_000_000, 8_000_000])
        #expect(fail("10.0.0.2") == 500_000)
        brake.succeeded("10.0.0.1")
        #expect(fail("10.0.0.1", 10) == 500_000)
        brake.forget(before: 60_000_005)
        #expect(fail("10.0.0.1", 60_000_005) == 1_000_000)
        #expect(fail("10.0.0.2", 60_000_005) == 500_000)
        // Remembering has its bound too.
        for n in 0..<4096 { _ = fail("peer \(n)") }
        #expect(fail("10.0.0.1", 60_000_006) == 500_000)
        var idle = GuessingBrake()
        idle.forget(before: 0)
    }

    @Test("The door forgets failures of an address after a minute")
    func brakeForgets() throws {
        let bench = SMPPBench()
        let first = try bench.connect()
        try first.send(bind(.transceiver, "x"))
        bench.wait(500)
        bench.wait(60_000)
        let second = try bench.connect()
        try second.send(bind(.transceiver, "x"))
        bench.wait(500)
        #expect(try second.read().map(\.status) == [.bindFailed])
    }

    @Test("An account with addresses is bound from those only")
    func addresses() throws {
        let bench = SMPPBench([.bank { $0.addresses = [AddressRange("10.1.0.0/16"), AddressRange("192.0.2.7")].compactMap { $0 } }])
        for peer in ["10.1.255.255", "192.0.2.7", "::ffff:10.1.2.3"] {
            let client = try bench.connect(from: peer)
            #expect(try client.answer(to: bind()).status == .ok)
        }
        let stranger = try bench.connect(from: "10.2.0.1")
        try stranger.send(bind())
        #expect(try stranger.read().isEmpty)
        bench.wait(500)
        #expect(try stranger.read().map(\.status) == [.bindFailed])
    }

    @Test("A kind of bind that the account may not make, and one too many, are refused without delay")
    func modesAndMaximum() throws {
        let bench = SMPPBench([.bank { ($0.modes, $0.binds) = ([.transceiver], 2) }])
        func refusal(_ mode: Bind.Mode) throws -> [CommandStatus] {
            let client = try bench.connect()
            try client.send(bind(mode))
            bench.loop.run()
            #expect(!client.isOpen)
            return try client.read().map(\.status)
        }
        #expect(try refusal(.receiver) == [.bindFailed])
        let (first, second) = (try bench.bound(), try bench.bound())
        #expect(try refusal(.transceiver) == [.bindFailed])
        try first.channel.close().wait()
        #expect(second.isOpen)
        _ = try bench.bound()
    }

    @Test("An account whose source may not send is not bound, and one whose source is not there does not exist")
    func sources() throws {
        let bench = SMPPBench([
            .bank { $0.source = "reads" },
            SMPPAccount(systemID: "ghost", password: "secret", source: "nobody"),
        ])
        #expect(bench.owner.tellers.map(\.name) == ["bank"])
        for name in ["bank", "ghost"] {
            let client = try bench.connect()
            try client.send(bind(.transceiver, name))
            bench.wait(500)
            #expect(try client.read().map(\.status) == [.bindFailed])
        }
    }

    @Test("Before the bind every request is refused, and without one the connection closes in time")
    func beforeBind() throws {
        let bench = SMPPBench()
        let client = try bench.connect()
        #expect(try client.answer(to: .text()).status == .wrongBindState)
        #expect(try client.answer(to: .enquireLink).command == .enquireLinkResponse)
        bench.wait(9_999)
        #expect(client.isOpen)
        bench.wait(1)
        #expect(!client.isOpen)
    }

    @Test("A second bind on a connection is refused and the first goes on")
    func alreadyBound() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        #expect(try client.answer(to: bind()).status == .alreadyBound)
        #expect(client.isOpen)
        #expect(bench.door.counters.refused == ["ESME_RALYBND": 1])
    }

    @Test("A receiver may not submit")
    func receiverSubmits() throws {
        let bench = SMPPBench()
        let client = try bench.bound(.receiver)
        #expect(try client.answer(to: .text()).status == .wrongBindState)
    }

    @Test("A server name that the answer has no room for ends the connection instead of a bind half made")
    func longServerName() throws {
        let bench = SMPPBench([.bank()], SMPPDoorSettings(systemID: "A NAME OF TWENTY ..."))
        let client = try bench.connect()
        try client.send(bind())
        #expect(try client.read().isEmpty)
        #expect(!client.isOpen)
        #expect(try bench.teller.room == 0)
    }

    @Test("A client of version 3.3 is bound without parameters, and its receipts have none")
    func olderVersion() throws {
        let bench = SMPPBench([.bank { $0.receipts = .full }])
        let client = try bench.connect()
        let answer = try client.answer(
            to: .bind(Bind(mode: .transceiver, systemID: "bank", password: "secret", interfaceVersion: 0x33)))
        #expect(answer.body == .bindResponse(.transceiver, BindResponse(systemID: "MARTLET", interfaceVersion: nil)))
        try bench.tell([1])
        guard case .deliver(let message) = try client.read().first?.body else { throw DoorBenchFault(text: "no receipt") }
        #expect(message.parameters.isEmpty)
        #expect(String(decoding: message.shortMessage, as: UTF8.self).hasPrefix("id:\(FakeIntake.id(1).text) "))
    }

    @Test("A silent client is asked for a sign of life, and closed when it gives none")
    func enquire() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        bench.wait(30_000)
        let asked = try client.read()
        #expect(asked.map(\.command) == [.enquireLink])
        try client.send([Packet(.enquireLinkResponse, sequence: asked.first?.sequence ?? 0)])
        bench.wait(30_000)
        #expect(try client.read().map(\.command) == [.enquireLink])
        bench.wait(10_000)
        #expect(!client.isOpen)
        #expect(try bench.teller.room == 0)
    }

    @Test("An error of the transport ends the connection")
    func transportError() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        client.channel.pipeline.fireErrorCaught(DoorBenchFault(text: "reset"))
        #expect(!client.isOpen)
        #expect(bench.door.counters.connectionsOpen == 0)
    }
}
